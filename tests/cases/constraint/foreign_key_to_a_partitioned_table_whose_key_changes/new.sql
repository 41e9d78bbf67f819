CREATE TABLE messages (user_id integer NOT NULL, id integer NOT NULL, PRIMARY KEY (id, user_id)) PARTITION BY LIST (user_id);
CREATE TABLE messages_1 PARTITION OF messages FOR VALUES IN (1);
CREATE TABLE parts (user_id integer, message_id integer, FOREIGN KEY (user_id, message_id) REFERENCES messages (user_id, id));

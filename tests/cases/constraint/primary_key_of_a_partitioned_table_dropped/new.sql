CREATE TABLE messages (user_id integer NOT NULL, id integer NOT NULL) PARTITION BY LIST (user_id);
CREATE TABLE messages_1 PARTITION OF messages FOR VALUES IN (1);

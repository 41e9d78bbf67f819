CREATE TABLE messages (user_id integer NOT NULL, id integer NOT NULL) PARTITION BY LIST (user_id);
CREATE TABLE messages_1 PARTITION OF messages FOR VALUES IN (1);
CREATE TABLE messages_rest PARTITION OF messages DEFAULT PARTITION BY RANGE (id);
CREATE TABLE messages_rest_all PARTITION OF messages_rest DEFAULT;

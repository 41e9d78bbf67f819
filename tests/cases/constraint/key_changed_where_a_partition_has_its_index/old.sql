CREATE TABLE messages (id integer NOT NULL, sender text, receiver text,
    CONSTRAINT messages_key UNIQUE (id, sender)) PARTITION BY RANGE (id);
CREATE TABLE messages_0 PARTITION OF messages FOR VALUES FROM (0) TO (100);
CREATE TABLE messages_1 PARTITION OF messages FOR VALUES FROM (100) TO (200);
CREATE UNIQUE INDEX messages_1_id_receiver_key ON messages_1 (id, receiver);

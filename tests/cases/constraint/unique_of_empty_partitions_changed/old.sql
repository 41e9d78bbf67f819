CREATE TABLE messages (id integer NOT NULL, sender text, receiver text) PARTITION BY RANGE (id);
CREATE TABLE messages_old PARTITION OF messages FOR VALUES FROM (0) TO (100);
CREATE TABLE messages_rest PARTITION OF messages DEFAULT;
ALTER TABLE messages ADD CONSTRAINT messages_key UNIQUE (id, sender);

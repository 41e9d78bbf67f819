CREATE TABLE messages (id integer NOT NULL, sender text, receiver text) PARTITION BY RANGE (id);
CREATE TABLE messages_old PARTITION OF messages FOR VALUES FROM (0) TO (100);
CREATE TABLE messages_rest PARTITION OF messages DEFAULT PARTITION BY RANGE (id);
CREATE TABLE messages_rest_all PARTITION OF messages_rest DEFAULT;
ALTER TABLE messages ADD CONSTRAINT messages_key UNIQUE (id, receiver) WITH (fillfactor = 70);
COMMENT ON CONSTRAINT messages_key ON messages IS 'one of a sender';
COMMENT ON CONSTRAINT messages_old_id_receiver_key ON messages_old IS 'that of the old ones';

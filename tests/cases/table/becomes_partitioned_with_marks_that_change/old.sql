CREATE TABLE messages (id bigint, sent_at timestamptz NOT NULL, n integer NOT NULL, PRIMARY KEY (id));
CREATE UNIQUE INDEX messages_n ON messages (n, sent_at);
CREATE INDEX messages_sent ON messages (sent_at);
ALTER TABLE messages REPLICA IDENTITY USING INDEX messages_n;
ALTER TABLE messages CLUSTER ON messages_sent;
CREATE PUBLICATION feed FOR TABLE messages;

CREATE TABLE messages (id bigint, sent_at timestamptz NOT NULL, body text, PRIMARY KEY (id, sent_at));
ALTER TABLE messages REPLICA IDENTITY USING INDEX messages_pkey;
CREATE PUBLICATION feed FOR TABLE messages;

CREATE TABLE messages (id bigint, sent_at timestamptz NOT NULL, body text, PRIMARY KEY (id, sent_at))
    PARTITION BY RANGE (sent_at);
CREATE TABLE messages_first PARTITION OF messages FOR VALUES FROM (MINVALUE) TO ('2025-01-01');
CREATE TABLE messages_2025 PARTITION OF messages FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
ALTER TABLE messages REPLICA IDENTITY USING INDEX messages_pkey;
ALTER TABLE messages_first REPLICA IDENTITY USING INDEX messages_first_pkey;
ALTER TABLE messages_2025 REPLICA IDENTITY USING INDEX messages_2025_pkey;
CREATE PUBLICATION feed FOR TABLE messages;

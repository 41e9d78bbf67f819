CREATE TABLE messages (id bigint, sent_at timestamptz NOT NULL, n integer NOT NULL, PRIMARY KEY (id, sent_at))
    PARTITION BY RANGE (sent_at);
CREATE TABLE messages_first PARTITION OF messages FOR VALUES FROM (MINVALUE) TO ('2025-01-01');
CREATE TABLE messages_2025 PARTITION OF messages FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE UNIQUE INDEX messages_n ON messages (n, sent_at);
CREATE INDEX messages_sent ON messages (sent_at);
CREATE PUBLICATION feed FOR TABLE messages;

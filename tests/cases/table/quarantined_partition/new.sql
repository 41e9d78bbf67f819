CREATE TABLE messages (id bigint, sent_at date NOT NULL, body text, PRIMARY KEY (id, sent_at)) PARTITION BY RANGE (sent_at);
CREATE TABLE messages_2024 PARTITION OF messages FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE INDEX messages_sent ON messages (sent_at);

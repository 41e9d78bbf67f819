CREATE TABLE messages (id bigint, sent_at date, body text, PRIMARY KEY (id, sent_at)) PARTITION BY RANGE (sent_at);
CREATE TABLE messages_2025 PARTITION OF messages FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');

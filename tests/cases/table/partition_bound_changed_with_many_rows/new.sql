CREATE TABLE messages (id bigint, sent_at date NOT NULL) PARTITION BY RANGE (sent_at);
CREATE TABLE messages_old PARTITION OF messages FOR VALUES FROM ('2024-01-01') TO ('2026-01-01');

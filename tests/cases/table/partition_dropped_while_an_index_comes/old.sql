CREATE TABLE users (id integer PRIMARY KEY);
CREATE TABLE messages (id bigint, user_id integer, sent_at date NOT NULL) PARTITION BY RANGE (sent_at);
CREATE TABLE messages_2024 PARTITION OF messages FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE messages_2025 PARTITION OF messages FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');

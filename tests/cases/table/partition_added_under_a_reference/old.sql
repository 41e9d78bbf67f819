CREATE TABLE messages (id bigint, sent_at date, PRIMARY KEY (id, sent_at)) PARTITION BY RANGE (sent_at);
CREATE TABLE messages_2025 PARTITION OF messages FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE answers (message_id bigint, message_sent_at date,
    FOREIGN KEY (message_id, message_sent_at) REFERENCES messages (id, sent_at));

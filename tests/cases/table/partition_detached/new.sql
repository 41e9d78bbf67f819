CREATE TABLE messages (id bigint, sent_at date NOT NULL) PARTITION BY RANGE (sent_at);
CREATE TABLE messages_2025 (id bigint, sent_at date NOT NULL);

CREATE TABLE messages (id bigint, sent_at timestamptz NOT NULL, PRIMARY KEY (id, sent_at)) PARTITION BY RANGE (sent_at);
CREATE TABLE messages_2026 PARTITION OF messages FOR VALUES FROM ('2026-01-01 00:00:00+00') TO ('2027-01-01 00:00:00+00');
CREATE TABLE messages_later PARTITION OF messages DEFAULT;

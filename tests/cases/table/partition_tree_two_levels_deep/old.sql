CREATE TABLE messages (tenant integer NOT NULL, sent_at date NOT NULL, body varchar(100)) PARTITION BY LIST (tenant);
CREATE TABLE messages_1 PARTITION OF messages FOR VALUES IN (1) PARTITION BY RANGE (sent_at);
CREATE TABLE messages_1_2026 PARTITION OF messages_1 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');

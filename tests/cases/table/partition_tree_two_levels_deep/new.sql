CREATE TABLE messages (tenant integer NOT NULL, sent_at date NOT NULL, body text, read boolean DEFAULT false NOT NULL) PARTITION BY LIST (tenant);
CREATE TABLE messages_1 PARTITION OF messages FOR VALUES IN (1) PARTITION BY RANGE (sent_at);
CREATE TABLE messages_1_2026 PARTITION OF messages_1 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE messages_1_2027 PARTITION OF messages_1 FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
CREATE TABLE messages_2 PARTITION OF messages FOR VALUES IN (2) PARTITION BY RANGE (sent_at);
CREATE TABLE messages_2_all PARTITION OF messages_2 DEFAULT;
CREATE INDEX messages_sent_at_idx ON messages (sent_at);

CREATE TABLE events (kind text, size bigint NOT NULL DEFAULT 1, at date) PARTITION BY LIST (kind);
CREATE TABLE events_a PARTITION OF events FOR VALUES IN ('a');

CREATE TABLE events (kind text, size integer DEFAULT 1) PARTITION BY LIST (kind);
CREATE TABLE events_a PARTITION OF events FOR VALUES IN ('a');

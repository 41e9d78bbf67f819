CREATE TABLE events (kind text, size integer, CONSTRAINT positive CHECK (size > 0)) PARTITION BY LIST (kind);
CREATE TABLE events_a PARTITION OF events FOR VALUES IN ('a');
ALTER TABLE events_a ADD CONSTRAINT small CHECK (size < 100);

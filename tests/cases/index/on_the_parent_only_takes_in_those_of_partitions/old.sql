CREATE TABLE events (kind text, at date) PARTITION BY LIST (kind);
CREATE TABLE events_a PARTITION OF events FOR VALUES IN ('a');
CREATE TABLE events_b PARTITION OF events FOR VALUES IN ('b');
CREATE INDEX events_at_idx ON ONLY events (at);
CREATE INDEX events_a_at_idx ON events_a (at);

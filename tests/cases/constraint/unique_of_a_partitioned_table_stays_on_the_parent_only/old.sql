CREATE TABLE events (kind text, at date) PARTITION BY LIST (kind);
CREATE TABLE events_a PARTITION OF events FOR VALUES IN ('a');
ALTER TABLE events ADD CONSTRAINT u UNIQUE (kind, at);

CREATE TABLE events (kind text, at date) PARTITION BY LIST (kind);
CREATE TABLE events_a (kind text, at date);
CREATE INDEX events_a_at_idx ON events_a (at);
ALTER TABLE events ATTACH PARTITION events_a FOR VALUES IN ('a');
CREATE INDEX events_at_idx ON ONLY events (at);
ALTER INDEX events_at_idx ATTACH PARTITION events_a_at_idx;

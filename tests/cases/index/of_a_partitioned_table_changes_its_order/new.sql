CREATE TABLE events (kind text, at date, place text) PARTITION BY LIST (kind);
CREATE TABLE events_a PARTITION OF events FOR VALUES IN ('a');
CREATE TABLE events_b PARTITION OF events FOR VALUES IN ('b') PARTITION BY RANGE (at);
CREATE TABLE events_b_all PARTITION OF events_b DEFAULT;
CREATE INDEX events_idx ON events (kind, at DESC);
CREATE INDEX events_places ON events (lower(place) text_pattern_ops, at);
CREATE UNIQUE INDEX events_once ON events (kind, place, at);
COMMENT ON INDEX events_idx IS 'By day';
COMMENT ON INDEX events_a_kind_at_idx IS 'Those of a';

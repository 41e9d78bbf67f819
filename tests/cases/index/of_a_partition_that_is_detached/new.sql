CREATE TABLE events (kind text, at date) PARTITION BY LIST (kind);
CREATE TABLE events_a (kind text, at date);
CREATE TABLE events_b PARTITION OF events FOR VALUES IN ('b') PARTITION BY RANGE (at);
CREATE TABLE events_b_all PARTITION OF events_b DEFAULT;
CREATE INDEX events_idx ON events (at);
CREATE INDEX events_a_at_idx ON events_a (at);

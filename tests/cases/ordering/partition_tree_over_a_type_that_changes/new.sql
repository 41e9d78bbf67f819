CREATE TABLE events (kind text, at date, size bigint) PARTITION BY LIST (kind);
CREATE TABLE events_a PARTITION OF events FOR VALUES IN ('a') PARTITION BY RANGE (at);
CREATE TABLE events_a_old PARTITION OF events_a FOR VALUES FROM (MINVALUE) TO ('2026-01-01');
CREATE INDEX events_size_idx ON events (size);
CREATE VIEW old_sizes AS SELECT size FROM events_a_old;
CREATE VIEW sizes AS SELECT size FROM events;

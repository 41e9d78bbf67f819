CREATE TABLE events (name text, at date) PARTITION BY RANGE (lower(name) COLLATE "C" text_pattern_ops, (date_part('year', at)));
CREATE TABLE events_a PARTITION OF events FOR VALUES FROM ('a', MINVALUE) TO ('b', MAXVALUE);

CREATE TABLE person (id integer NOT NULL, name text NOT NULL, phone text);
CREATE TABLE customer (age integer) INHERITS (person);
CREATE TABLE events (id integer NOT NULL, at date, kind text) PARTITION BY RANGE (at);
CREATE TABLE events_2026 (id integer NOT NULL, at date, kind text);
ALTER TABLE events ATTACH PARTITION events_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
COMMENT ON CONSTRAINT person_name_not_null ON customer IS 'a customer has a name';
COMMENT ON CONSTRAINT events_2026_id_not_null ON events_2026 IS 'of one partition';

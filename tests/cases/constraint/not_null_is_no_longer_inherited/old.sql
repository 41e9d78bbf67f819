CREATE TABLE person (id integer NOT NULL, name text NOT NULL);
CREATE TABLE customer (age integer) INHERITS (person);
CREATE TABLE events (id integer NOT NULL, at date) PARTITION BY RANGE (at);
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE events_2027 PARTITION OF events FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');

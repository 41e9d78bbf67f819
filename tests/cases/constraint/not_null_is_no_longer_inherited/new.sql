CREATE TABLE person (id integer, name text CONSTRAINT person_name_not_null NOT NULL NO INHERIT);
CREATE TABLE customer (age integer, CONSTRAINT required NOT NULL id, NOT NULL name) INHERITS (person);
CREATE TABLE events (id integer, at date) PARTITION BY RANGE (at);
CREATE TABLE events_2026 PARTITION OF events (id NOT NULL) FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE events_2027 PARTITION OF events FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');

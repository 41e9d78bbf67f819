CREATE TABLE people (name text, initial text NOT NULL);
CREATE TABLE clients (since date) INHERITS (people);
CREATE TABLE events (at date, year integer) PARTITION BY RANGE (at);
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE INDEX events_year ON events (year);

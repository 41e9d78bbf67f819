CREATE TABLE events (id integer NOT NULL, at date) PARTITION BY RANGE (at);
CREATE TABLE events_2026 (id integer NOT NULL, at date);
CREATE TABLE person (id integer NOT NULL);
CREATE TABLE customer (id integer NOT NULL, age integer);

CREATE TABLE events (id bigint NOT NULL, note text);
CREATE TABLE parts (id integer NOT NULL, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE part PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE others (id integer NOT NULL);
CREATE TABLE old_events () INHERITS (others);
CREATE TABLE grows (id bigint NOT NULL);
CREATE TABLE has_grown () INHERITS (grows);

CREATE TABLE events (id bigint NOT NULL, note text);
CREATE TABLE parts (id integer NOT NULL, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE part (id bigint NOT NULL, at date NOT NULL);
CREATE TABLE old_events () INHERITS (events);
CREATE TABLE others (id integer NOT NULL);
CREATE TABLE grows (id integer NOT NULL);
CREATE TABLE has_grown (id bigint NOT NULL);

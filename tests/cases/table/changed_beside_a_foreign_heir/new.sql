CREATE TABLE events (id integer NOT NULL, size integer, note text NOT NULL, more integer NOT NULL DEFAULT 2,
    CONSTRAINT events_id CHECK (id > 0));
CREATE TABLE logs (id integer NOT NULL, said varchar(100), at timestamptz DEFAULT clock_timestamp());
CREATE INDEX logs_said ON logs (said);
CREATE FOREIGN DATA WRAPPER files;
CREATE SERVER files FOREIGN DATA WRAPPER files;
CREATE FOREIGN TABLE events_far () INHERITS (events) SERVER files;
CREATE FOREIGN TABLE far (of text) INHERITS (events, logs) SERVER files;
CREATE FOREIGN TABLE farther () INHERITS (events_far) SERVER files;

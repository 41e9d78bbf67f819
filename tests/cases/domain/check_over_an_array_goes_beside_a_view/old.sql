CREATE DOMAIN short AS text CONSTRAINT short_check CHECK (length(VALUE) < 9);
CREATE TABLE notes (id integer PRIMARY KEY, tags short[]);
CREATE VIEW tagged AS SELECT id, tags FROM notes;

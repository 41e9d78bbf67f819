CREATE TABLE things (id integer, name text);
CREATE TABLE tools () INHERITS (things);
ALTER TABLE tools ADD COLUMN weight integer;

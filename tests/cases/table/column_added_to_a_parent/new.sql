CREATE TABLE things (id integer, CONSTRAINT positive CHECK (id > 0));
CREATE TABLE marked (mark text);
CREATE TABLE tools (weight integer) INHERITS (things, marked);
ALTER TABLE things ADD COLUMN made_on date DEFAULT '2026-01-01';

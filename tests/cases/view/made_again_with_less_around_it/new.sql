-- The view is made anew: who may read it no longer, and what no longer runs, is told all the same.
CREATE TABLE contacts (id integer, name text);
CREATE VIEW names AS SELECT name FROM contacts;
GRANT INSERT ON names TO app_reader;
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';

CREATE TABLE contacts (id integer, name text);
CREATE MATERIALIZED VIEW names AS SELECT name FROM contacts;
CREATE INDEX names_idx ON names (name);
CREATE VIEW long_names AS SELECT name FROM names WHERE length(name) > 10;

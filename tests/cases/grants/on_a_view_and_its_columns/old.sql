CREATE TABLE contacts (id integer, name text);
CREATE VIEW names AS SELECT id, name FROM contacts;
CREATE MATERIALIZED VIEW numbers AS SELECT id, name FROM contacts;
GRANT SELECT ON names, numbers TO app_reader;

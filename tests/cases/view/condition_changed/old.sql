CREATE TABLE contacts (id integer, name text);
CREATE VIEW names AS SELECT name FROM contacts;
GRANT SELECT ON names TO app_reader;

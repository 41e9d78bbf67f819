CREATE TABLE contacts (id integer, name text);
CREATE VIEW names AS SELECT name FROM contacts WHERE id > 0;
GRANT SELECT ON names TO app_reader;

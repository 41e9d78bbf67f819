CREATE TABLE contacts (id integer, name text);
CREATE VIEW names AS SELECT id, name FROM contacts;
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO anon;

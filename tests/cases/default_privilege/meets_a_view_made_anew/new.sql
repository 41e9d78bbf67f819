CREATE TABLE contacts (id integer, name text);
CREATE VIEW names AS SELECT name FROM contacts;
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO anon;

-- The dropped column leaves a hole in the catalog that nobody may see.
CREATE TABLE contacts (id integer, fax text, name text);
CREATE INDEX contacts_idx ON contacts (name);
GRANT SELECT (name) ON contacts TO app_reader;
ALTER TABLE contacts DROP COLUMN fax;

CREATE TABLE contacts (id integer, name text);
ALTER TABLE contacts ALTER COLUMN name SET STATISTICS 500;

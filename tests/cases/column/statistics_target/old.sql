CREATE TABLE contacts (id integer, name text);
ALTER TABLE contacts ALTER COLUMN id SET STATISTICS 10;

CREATE TABLE contacts (name text);
CREATE INDEX contacts_idx ON contacts (lower(name));
ALTER INDEX contacts_idx ALTER COLUMN 1 SET STATISTICS 500;

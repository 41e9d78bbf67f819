CREATE TABLE contacts (id integer, name text);
CREATE INDEX contacts_idx ON contacts (name);
GRANT SELECT (name) ON contacts TO app_reader;

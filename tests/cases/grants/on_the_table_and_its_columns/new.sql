CREATE TABLE contacts (id integer, name text);
GRANT SELECT (name) ON contacts TO app_reader;

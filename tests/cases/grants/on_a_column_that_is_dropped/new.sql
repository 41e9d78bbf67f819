CREATE TABLE contacts (id integer);
GRANT SELECT (id) ON contacts TO app_reader;

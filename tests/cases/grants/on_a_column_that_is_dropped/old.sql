CREATE TABLE contacts (id integer, secret text);
GRANT SELECT (id, secret) ON contacts TO app_reader;

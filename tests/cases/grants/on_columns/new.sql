CREATE TABLE contacts (id integer, name text, secret text);
GRANT SELECT (id, name) ON contacts TO app_reader;
GRANT SELECT (id), UPDATE (name) ON contacts TO app_writer WITH GRANT OPTION;

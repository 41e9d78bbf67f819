CREATE TABLE contacts (id integer, name text, secret text);
GRANT SELECT ON contacts TO app_reader;
GRANT SELECT (id), UPDATE (id) ON contacts TO app_writer;

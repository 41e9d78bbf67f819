CREATE TABLE contacts (id integer);
GRANT SELECT ON contacts TO app_reader;
GRANT ALL ON contacts TO app_writer;

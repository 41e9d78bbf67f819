CREATE TABLE contacts (id integer);
GRANT MAINTAIN ON contacts TO app_writer;

CREATE TABLE contacts (id integer);
GRANT SELECT, MAINTAIN ON contacts TO app_writer WITH GRANT OPTION;

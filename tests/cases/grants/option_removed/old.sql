CREATE TABLE contacts (id integer);
GRANT SELECT, INSERT ON contacts TO app_reader WITH GRANT OPTION;

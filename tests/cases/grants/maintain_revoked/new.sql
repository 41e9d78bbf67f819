CREATE TABLE contacts (id integer);
GRANT SELECT ON contacts TO app_writer WITH GRANT OPTION;

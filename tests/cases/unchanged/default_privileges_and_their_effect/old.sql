-- One side has its rights by default, the other by hand.
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO app_reader;
CREATE TABLE contacts (id integer);

CREATE TABLE contacts (id integer);
GRANT SELECT ON contacts TO app_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE postgres GRANT SELECT ON TABLES TO app_reader;

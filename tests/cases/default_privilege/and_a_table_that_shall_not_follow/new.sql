ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO anon;
CREATE TABLE secrets (id integer);
REVOKE ALL ON secrets FROM anon;
CREATE TABLE shared (id integer);
GRANT INSERT ON shared TO anon;

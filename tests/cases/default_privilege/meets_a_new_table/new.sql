ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO anon, authenticated;
CREATE TABLE a (id integer);
CREATE TABLE b (id integer);

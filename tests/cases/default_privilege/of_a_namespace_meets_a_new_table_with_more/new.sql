CREATE SCHEMA billing;
ALTER DEFAULT PRIVILEGES IN SCHEMA billing GRANT SELECT ON TABLES TO anon;
CREATE TABLE billing.a (id integer);
GRANT INSERT ON billing.a TO anon;
CREATE TABLE billing.b (id integer);
GRANT INSERT, UPDATE ON billing.b TO anon;

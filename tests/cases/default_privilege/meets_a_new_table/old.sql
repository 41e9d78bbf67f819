-- The new table gets its rights without a GRANT, on both sides.
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO anon, authenticated;
CREATE TABLE a (id integer);

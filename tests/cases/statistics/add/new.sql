CREATE TABLE contacts (id integer, name text, city text);
CREATE STATISTICS places ON name, city FROM contacts;
COMMENT ON STATISTICS places IS 'They go together';
ALTER STATISTICS places OWNER TO app_owner;

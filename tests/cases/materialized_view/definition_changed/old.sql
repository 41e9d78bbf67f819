CREATE TABLE contacts (id integer, city text);
CREATE MATERIALIZED VIEW cities AS SELECT DISTINCT city FROM contacts;
CREATE UNIQUE INDEX cities_idx ON cities (city);
COMMENT ON MATERIALIZED VIEW cities IS 'Refreshed at night';
GRANT SELECT ON cities TO app_reader;
ALTER MATERIALIZED VIEW cities OWNER TO app_owner;

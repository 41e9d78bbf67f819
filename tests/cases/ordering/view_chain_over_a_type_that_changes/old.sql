CREATE TABLE contacts (id integer, size integer);
CREATE VIEW a AS SELECT id, size FROM contacts;
CREATE VIEW b AS SELECT id, size + 1 AS bigger FROM a;
CREATE VIEW c AS SELECT a.size, b.bigger FROM a JOIN b USING (id);
COMMENT ON VIEW b IS 'In the middle';
ALTER VIEW c OWNER TO app_owner;
GRANT SELECT ON c TO app_reader;

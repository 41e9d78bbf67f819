CREATE TABLE contacts (id integer, size numeric);
CREATE MATERIALIZED VIEW sizes AS SELECT size, count(*) AS n FROM contacts GROUP BY size;
CREATE UNIQUE INDEX sizes_idx ON sizes (size);
COMMENT ON COLUMN sizes.n IS 'How many';
GRANT SELECT ON sizes TO app_reader;
CREATE VIEW big_sizes AS SELECT size FROM sizes WHERE n > 10;

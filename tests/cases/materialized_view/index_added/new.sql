CREATE TABLE contacts (id integer, city text);
CREATE MATERIALIZED VIEW cities AS SELECT DISTINCT city FROM contacts;
CREATE INDEX cities_idx ON cities (city text_pattern_ops);

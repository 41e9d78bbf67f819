CREATE TABLE contacts (id integer, city text);
CREATE MATERIALIZED VIEW cities AS SELECT DISTINCT city FROM contacts WITH NO DATA;

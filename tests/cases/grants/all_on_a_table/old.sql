CREATE TABLE contacts (id integer);
CREATE MATERIALIZED VIEW names AS SELECT id FROM contacts;

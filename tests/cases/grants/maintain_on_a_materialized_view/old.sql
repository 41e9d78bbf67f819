CREATE TABLE contacts (id integer);
CREATE MATERIALIZED VIEW ids AS SELECT id FROM contacts;

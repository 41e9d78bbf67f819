CREATE TABLE contacts (id integer);
CREATE MATERIALIZED VIEW names AS SELECT id FROM contacts;
GRANT ALL ON contacts TO app_writer;
GRANT ALL ON names TO app_reader;

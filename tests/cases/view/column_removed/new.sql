CREATE TABLE contacts (id integer, name text);
CREATE VIEW names AS SELECT name FROM contacts;
COMMENT ON VIEW names IS 'For the reports';
COMMENT ON COLUMN names.name IS 'As given';
ALTER VIEW names OWNER TO app_owner;
GRANT SELECT (name) ON names TO app_reader;
GRANT SELECT ON names TO app_writer WITH GRANT OPTION;

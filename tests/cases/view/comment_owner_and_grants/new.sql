CREATE TABLE contacts (id integer);
CREATE VIEW ids AS SELECT id FROM contacts;
COMMENT ON VIEW ids IS 'Just numbers';
COMMENT ON COLUMN ids.id IS 'A number';
ALTER VIEW ids OWNER TO app_owner;
GRANT SELECT ON ids TO app_reader;
GRANT UPDATE (id) ON ids TO app_writer;

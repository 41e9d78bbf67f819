CREATE TABLE contacts (id integer, name text);
ALTER TABLE contacts OWNER TO app_owner;
GRANT SELECT ON contacts TO app_reader;
GRANT UPDATE (name) ON contacts TO app_writer WITH GRANT OPTION;

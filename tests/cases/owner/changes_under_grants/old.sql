-- The owner's own rights move with the ownership; those of others stay, with a new grantor.
CREATE TABLE contacts (id integer, name text);
GRANT SELECT ON contacts TO app_reader;
GRANT UPDATE (name) ON contacts TO app_writer WITH GRANT OPTION;

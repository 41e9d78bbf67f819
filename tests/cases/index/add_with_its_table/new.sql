CREATE TABLE contacts (id integer, name text);
CREATE INDEX contacts_name_idx ON contacts (name);

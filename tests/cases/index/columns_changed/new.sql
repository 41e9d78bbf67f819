CREATE TABLE contacts (id integer, name text);
CREATE INDEX contacts_idx ON contacts (name, id);

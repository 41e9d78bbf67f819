CREATE TABLE contacts (id integer, name text, at date);
CREATE INDEX contacts_idx ON contacts (name, at);

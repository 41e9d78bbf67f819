CREATE TABLE contacts (id integer, name text);
CREATE UNIQUE INDEX contacts_name_key ON contacts (lower(name));

CREATE TABLE contacts (name text);
CREATE INDEX contacts_name_idx ON contacts (name);

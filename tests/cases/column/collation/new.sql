CREATE TABLE contacts (name text COLLATE "C");
CREATE INDEX contacts_name_idx ON contacts (name);

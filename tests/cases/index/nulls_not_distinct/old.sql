CREATE TABLE contacts (name text);
CREATE UNIQUE INDEX contacts_idx ON contacts (name);

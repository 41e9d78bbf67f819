CREATE TABLE contacts (name text);
CREATE INDEX contacts_idx ON contacts (name);

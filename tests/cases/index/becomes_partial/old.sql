CREATE TABLE contacts (name text, active boolean);
CREATE INDEX contacts_idx ON contacts (name);

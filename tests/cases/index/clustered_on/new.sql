CREATE TABLE contacts (name text);
CREATE INDEX contacts_idx ON contacts (name);
ALTER TABLE contacts CLUSTER ON contacts_idx;

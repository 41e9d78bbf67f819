CREATE TABLE contacts (name text, status text);
CREATE INDEX contacts_idx ON contacts (name) WHERE status = 'active';

CREATE TABLE contacts (name text DEFAULT 'x' CHECK (name <> ''));
CREATE INDEX contacts_name_idx ON contacts (name) WHERE name <> 'x';

CREATE TABLE contacts (name varchar(50) DEFAULT 'x' CHECK (name <> ''));
CREATE INDEX contacts_name_idx ON contacts (name) WHERE name <> 'x';

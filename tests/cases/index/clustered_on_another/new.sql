CREATE TABLE contacts (name text, id integer);
CREATE INDEX contacts_name ON contacts (name);
CREATE INDEX contacts_id ON contacts (id);
ALTER TABLE contacts CLUSTER ON contacts_id;

CREATE TABLE contacts (id integer NOT NULL, code integer NOT NULL);
CREATE UNIQUE INDEX contacts_key ON contacts (id, code);
ALTER TABLE contacts REPLICA IDENTITY USING INDEX contacts_key;

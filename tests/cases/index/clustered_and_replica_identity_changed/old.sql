CREATE TABLE contacts (name text NOT NULL, id integer NOT NULL);
CREATE UNIQUE INDEX contacts_idx ON contacts (id);
ALTER TABLE contacts CLUSTER ON contacts_idx;
ALTER TABLE contacts REPLICA IDENTITY USING INDEX contacts_idx;

CREATE TABLE contacts (id integer NOT NULL);
CREATE UNIQUE INDEX contacts_id_idx ON contacts (id);
ALTER TABLE contacts REPLICA IDENTITY USING INDEX contacts_id_idx;

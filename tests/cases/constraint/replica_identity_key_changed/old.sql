CREATE TABLE contacts (user_id integer NOT NULL, id integer NOT NULL, CONSTRAINT contacts_key UNIQUE (id));
ALTER TABLE contacts REPLICA IDENTITY USING INDEX contacts_key;

CREATE TABLE contacts (id int CONSTRAINT positive CHECK (id > 0));
CREATE INDEX contacts_id ON contacts (id);
ALTER TABLE contacts ADD CONSTRAINT positive CHECK (id > 1);

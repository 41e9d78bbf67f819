CREATE TABLE contacts (id integer);
ALTER TABLE contacts ADD CONSTRAINT contacts_id_not_null NOT NULL id NOT VALID;

CREATE TABLE contacts (id integer);
ALTER TABLE contacts ADD CONSTRAINT always_there NOT NULL id NOT VALID;

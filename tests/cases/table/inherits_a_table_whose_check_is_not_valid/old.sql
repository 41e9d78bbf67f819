CREATE TABLE things (id integer NOT NULL);
ALTER TABLE things ADD CONSTRAINT positive CHECK (id > 0) NOT VALID;

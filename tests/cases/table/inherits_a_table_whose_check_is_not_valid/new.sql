CREATE TABLE things (id integer NOT NULL);
CREATE TABLE tools () INHERITS (things);
ALTER TABLE things ADD CONSTRAINT positive CHECK (id > 0) NOT VALID;

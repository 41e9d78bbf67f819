CREATE TABLE contacts (id integer CONSTRAINT always_there NOT NULL);

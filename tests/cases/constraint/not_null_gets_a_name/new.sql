CREATE TABLE contacts (id integer CONSTRAINT never_gone NOT NULL);

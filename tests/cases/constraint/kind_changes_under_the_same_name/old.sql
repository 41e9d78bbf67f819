CREATE TABLE contacts (id integer, CONSTRAINT rule CHECK (id > 0));

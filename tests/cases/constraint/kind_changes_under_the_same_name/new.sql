CREATE TABLE contacts (id integer, CONSTRAINT rule UNIQUE (id));

CREATE TABLE contacts (id integer NOT NULL);

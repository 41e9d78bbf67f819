CREATE TABLE contacts (id integer NOT NULL, name text CONSTRAINT named NOT NULL);

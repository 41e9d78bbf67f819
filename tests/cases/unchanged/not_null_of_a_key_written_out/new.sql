CREATE TABLE contacts (id integer NOT NULL PRIMARY KEY);

CREATE TABLE contacts (id integer UNIQUE, name text);

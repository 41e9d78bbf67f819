CREATE TABLE contacts (id integer, name text);

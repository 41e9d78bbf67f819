CREATE TABLE contacts (id integer PRIMARY KEY, name text, born_on date);

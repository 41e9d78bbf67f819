CREATE TABLE contacts (id integer);

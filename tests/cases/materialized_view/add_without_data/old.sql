CREATE TABLE contacts (id integer, city text);

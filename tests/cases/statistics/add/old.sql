CREATE TABLE contacts (id integer, name text, city text);

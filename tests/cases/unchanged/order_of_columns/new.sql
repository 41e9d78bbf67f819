CREATE TABLE contacts (name text, id integer, age integer);

CREATE TABLE people (id integer, phone text);

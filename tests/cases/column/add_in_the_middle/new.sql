CREATE TABLE contacts (id integer, age integer, phone text);

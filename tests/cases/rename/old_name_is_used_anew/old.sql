CREATE TABLE contacts (id integer, phone text);

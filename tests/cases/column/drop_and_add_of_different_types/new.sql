CREATE TABLE contacts (id integer, born_on date);

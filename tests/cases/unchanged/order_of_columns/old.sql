-- PostgreSQL cannot move a column: nothing is to be done.
CREATE TABLE contacts (id integer, name text, age integer);

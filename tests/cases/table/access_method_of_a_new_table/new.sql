CREATE TABLE contacts (id integer) USING heap;

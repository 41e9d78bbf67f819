CREATE TABLE contacts (id integer, name text);
CREATE TABLE log (id integer);

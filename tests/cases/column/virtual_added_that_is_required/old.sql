CREATE TABLE orders (id integer, net integer NOT NULL);
CREATE TABLE empty (id integer, net integer NOT NULL);
CREATE TABLE person (id integer, name text NOT NULL);
CREATE TABLE customer () INHERITS (person);

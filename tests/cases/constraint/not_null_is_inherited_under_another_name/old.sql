CREATE TABLE person (id integer NOT NULL NO INHERIT);
CREATE TABLE customer () INHERITS (person);

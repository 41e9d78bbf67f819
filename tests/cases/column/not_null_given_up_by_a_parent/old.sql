CREATE TABLE person (id integer NOT NULL, name text NOT NULL);
CREATE TABLE customer (PRIMARY KEY (id)) INHERITS (person);
CREATE TABLE guest () INHERITS (person);
CREATE TABLE member (name text NOT NULL) INHERITS (person);

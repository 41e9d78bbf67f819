CREATE TABLE person (id integer CONSTRAINT never_null NOT NULL);
CREATE TABLE customer () INHERITS (person);
CREATE TABLE member (id integer CONSTRAINT own NOT NULL) INHERITS (person);

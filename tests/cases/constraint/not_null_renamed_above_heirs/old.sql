CREATE TABLE person (id integer CONSTRAINT always NOT NULL);
CREATE TABLE customer () INHERITS (person);
CREATE TABLE member (id integer CONSTRAINT own NOT NULL) INHERITS (person);

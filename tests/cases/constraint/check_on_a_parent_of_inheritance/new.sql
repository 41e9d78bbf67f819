CREATE TABLE things (id integer, CONSTRAINT positive CHECK (id > 0));
CREATE TABLE tools () INHERITS (things);

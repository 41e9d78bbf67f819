CREATE TABLE things (id integer, CONSTRAINT positive CHECK (id > 0) NO INHERIT);
CREATE TABLE tools () INHERITS (things);

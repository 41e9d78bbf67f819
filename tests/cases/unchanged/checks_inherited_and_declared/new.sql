CREATE TABLE things (id int, CONSTRAINT c CHECK (id > 0));
CREATE TABLE tools () INHERITS (things);

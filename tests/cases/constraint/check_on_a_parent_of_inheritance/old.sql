CREATE TABLE things (id integer);
CREATE TABLE tools () INHERITS (things);

CREATE TABLE things (id integer);
CREATE TABLE tools (weight integer) INHERITS (things);

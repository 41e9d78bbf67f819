CREATE TABLE things (id integer, name text);
CREATE TABLE tools (weight integer) INHERITS (things);

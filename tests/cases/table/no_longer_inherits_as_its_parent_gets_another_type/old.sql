CREATE TABLE things (id int, x int);
CREATE TABLE tools (w int) INHERITS (things);

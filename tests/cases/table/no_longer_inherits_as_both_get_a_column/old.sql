CREATE TABLE things (id int);
CREATE TABLE tools (w int) INHERITS (things);

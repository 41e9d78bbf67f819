CREATE TABLE things (id int, x int);
CREATE TABLE items (id int, i int);
CREATE TABLE tools (w int) INHERITS (things);

CREATE TABLE things (id int PRIMARY KEY, x int);
CREATE TABLE tools (w int, PRIMARY KEY (id)) INHERITS (things);

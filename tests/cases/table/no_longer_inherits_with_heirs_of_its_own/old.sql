CREATE TABLE things (id int, x int);
CREATE TABLE tools (w int) INHERITS (things);
CREATE TABLE hammers (h int) INHERITS (tools);

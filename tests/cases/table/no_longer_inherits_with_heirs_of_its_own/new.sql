CREATE TABLE things (id int, x int);
CREATE TABLE tools (id int, w int);
CREATE TABLE hammers (h int) INHERITS (tools);

CREATE TABLE things (id int, x int, CONSTRAINT c CHECK (x > 0));
CREATE TABLE tools (w int) INHERITS (things);

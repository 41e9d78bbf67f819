CREATE TABLE things (id int, x int NOT NULL, y text, CONSTRAINT c CHECK (x > 0));
CREATE TABLE tools (w int) INHERITS (things);

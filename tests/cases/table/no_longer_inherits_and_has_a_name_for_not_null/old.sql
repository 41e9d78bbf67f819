CREATE TABLE things (id int, x int CONSTRAINT xn NOT NULL);
CREATE TABLE tools (w int) INHERITS (things);

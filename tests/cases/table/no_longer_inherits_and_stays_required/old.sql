CREATE TABLE things (id int, x int NOT NULL);
CREATE TABLE tools (w int) INHERITS (things);

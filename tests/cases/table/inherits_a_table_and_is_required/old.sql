CREATE TABLE things (id int, x int NOT NULL);
CREATE TABLE tools (id int, x int, w int);

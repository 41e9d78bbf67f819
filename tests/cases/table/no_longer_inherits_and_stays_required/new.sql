CREATE TABLE things (id int, x int);
CREATE TABLE tools (id int, x int NOT NULL, w int);

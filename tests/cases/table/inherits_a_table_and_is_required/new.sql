CREATE TABLE things (id int, x int NOT NULL);
CREATE TABLE tools (id int, x int NOT NULL, w int);
ALTER TABLE tools INHERIT things;

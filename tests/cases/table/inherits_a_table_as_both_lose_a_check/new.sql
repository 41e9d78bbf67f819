CREATE TABLE things (id int, x int);
CREATE TABLE tools (id int, x int, w int);
ALTER TABLE tools INHERIT things;

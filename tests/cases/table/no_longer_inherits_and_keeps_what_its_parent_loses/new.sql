CREATE TABLE things (id int);
CREATE TABLE tools (id int, x int, w int);

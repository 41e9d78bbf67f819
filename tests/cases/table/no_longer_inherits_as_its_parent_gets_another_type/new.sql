CREATE TABLE things (id int, x bigint);
CREATE TABLE tools (id int, x int, w int);

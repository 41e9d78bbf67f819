CREATE TABLE things (id int, x bigint);
CREATE TABLE tools (id int, x bigint, w int);

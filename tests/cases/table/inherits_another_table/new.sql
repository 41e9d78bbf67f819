CREATE TABLE things (id int, x int);
CREATE TABLE items (id int, i int);
CREATE TABLE tools (id int, w int, i int);
ALTER TABLE tools INHERIT items;

CREATE TABLE things (id int);
CREATE TABLE tools (id int, w int);

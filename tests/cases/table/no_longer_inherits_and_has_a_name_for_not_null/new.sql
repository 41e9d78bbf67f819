CREATE TABLE things (id int, x int CONSTRAINT xn NOT NULL);
CREATE TABLE tools (id int, x int CONSTRAINT tn NOT NULL, w int);

CREATE TABLE things (id int, x int, CONSTRAINT c CHECK (x > 0));
CREATE TABLE tools (id int, x int, w int, CONSTRAINT c CHECK (x > 0));
ALTER TABLE tools INHERIT things;

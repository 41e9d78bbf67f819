CREATE TABLE things (id int, x int NOT NULL, y text, CONSTRAINT c CHECK (x > 0));
CREATE TABLE tools (id int, x int NOT NULL, w int, y text, CONSTRAINT c CHECK (x > 0));
ALTER TABLE tools INHERIT things;

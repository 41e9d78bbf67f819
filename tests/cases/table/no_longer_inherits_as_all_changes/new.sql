CREATE TABLE things (id bigint, x int, z text, CONSTRAINT c CHECK (x > 1));
CREATE TABLE tools (id int, x int NOT NULL, w int, z int, CONSTRAINT d CHECK (x > 2));

CREATE TABLE things (id int, CONSTRAINT c CHECK (id > 0));
CREATE TABLE tools (id int, CONSTRAINT c CHECK (id > 0));
ALTER TABLE tools INHERIT things;

CREATE TABLE contacts (id integer, name text, NOT NULL id, CONSTRAINT named NOT NULL name);

CREATE TABLE contacts (id integer, name text);
CREATE TABLE numbers (id integer NOT NULL DEFAULT 1, name text);

-- a_b_c is what both columns make of the names of their tables and their own.
CREATE TABLE a (id integer PRIMARY KEY, b_c text NOT NULL, b_d text);
CREATE TABLE a_b (id integer PRIMARY KEY, c text NOT NULL, d text);

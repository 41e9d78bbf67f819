CREATE TABLE a (id integer PRIMARY KEY);
CREATE TABLE b (id integer PRIMARY KEY, name text);
CREATE PUBLICATION changes FOR TABLE a, b;

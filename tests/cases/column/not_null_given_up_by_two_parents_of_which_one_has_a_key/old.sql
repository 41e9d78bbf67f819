CREATE TABLE a (id integer PRIMARY KEY, n integer NOT NULL);
CREATE TABLE b (id integer NOT NULL, n integer NOT NULL);
CREATE TABLE c () INHERITS (a, b);

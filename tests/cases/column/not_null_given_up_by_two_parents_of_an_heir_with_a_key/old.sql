CREATE TABLE a (id integer, n integer NOT NULL, PRIMARY KEY (id, n));
CREATE TABLE b (id integer NOT NULL, n integer NOT NULL);
CREATE TABLE c (CONSTRAINT c_key PRIMARY KEY (id)) INHERITS (a, b);

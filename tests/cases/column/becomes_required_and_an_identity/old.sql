CREATE TABLE t (id integer PRIMARY KEY, g integer);

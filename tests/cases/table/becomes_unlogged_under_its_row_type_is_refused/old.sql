CREATE TABLE a (id integer PRIMARY KEY, v text);
CREATE TABLE b (id integer, x a);

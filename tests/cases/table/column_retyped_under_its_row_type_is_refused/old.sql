CREATE TABLE a (id integer, v integer);
CREATE TABLE b (id integer, x a);

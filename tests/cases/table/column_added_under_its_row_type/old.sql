CREATE TABLE a (id integer, v text);
CREATE TABLE b (id integer, x a, many a[]);

CREATE TABLE a (id integer, v text);
CREATE TYPE pair AS (one a, two integer);
CREATE TABLE b (id integer, x a, y pair, many a[]);

CREATE TABLE a (n integer);
CREATE TABLE b (n integer);
CREATE TABLE c (CONSTRAINT other NOT NULL n) INHERITS (a, b);

CREATE TABLE a (id integer, v bigint);
CREATE TABLE b (id integer, x a);

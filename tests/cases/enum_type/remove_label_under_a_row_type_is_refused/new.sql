CREATE TYPE state AS ENUM ('b');
CREATE TABLE a (id integer, state state);
CREATE TABLE b (id integer, x a);

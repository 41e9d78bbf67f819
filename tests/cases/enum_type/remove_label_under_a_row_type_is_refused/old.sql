CREATE TYPE state AS ENUM ('b', 'c');
CREATE TABLE a (id integer, state state);
CREATE TABLE b (id integer, x a);

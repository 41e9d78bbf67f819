CREATE TABLE a (id integer, v integer);
CREATE DOMAIN held AS a;
CREATE TABLE b (id integer, x held);

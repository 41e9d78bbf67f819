CREATE TYPE mood AS ENUM ('ok');
CREATE TABLE b (id integer, mood mood);
CREATE TABLE a (id integer);
CREATE VIEW v AS SELECT id FROM a;

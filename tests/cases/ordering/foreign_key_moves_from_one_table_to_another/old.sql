CREATE TABLE a (id integer PRIMARY KEY);
CREATE TABLE b (id integer PRIMARY KEY, x integer);
CREATE TABLE c (a_id integer CONSTRAINT target REFERENCES a);

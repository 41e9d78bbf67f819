CREATE TABLE p (id integer);
CREATE TABLE q (id integer, CONSTRAINT ok CHECK (id > 0));
CREATE TABLE c (id integer, CONSTRAINT ok CHECK (id > 0)) INHERITS (p, q);
CREATE TABLE d (id integer) INHERITS (p, q);

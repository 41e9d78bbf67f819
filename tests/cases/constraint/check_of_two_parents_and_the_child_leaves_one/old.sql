CREATE TABLE p (id integer, CONSTRAINT ok CHECK (id > 0));
CREATE TABLE q (id integer, CONSTRAINT ok CHECK (id > 0));
CREATE TABLE c (id integer, CONSTRAINT ok CHECK (id > 0)) INHERITS (p, q);
CREATE TABLE d (id integer) INHERITS (p, q);

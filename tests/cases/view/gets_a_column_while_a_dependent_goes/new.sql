CREATE TABLE t (id integer PRIMARY KEY, n integer);
CREATE VIEW below AS SELECT id, n FROM t;

CREATE TABLE t (id integer PRIMARY KEY, n integer);
CREATE VIEW below AS SELECT id FROM t;
CREATE VIEW above AS SELECT id FROM below;

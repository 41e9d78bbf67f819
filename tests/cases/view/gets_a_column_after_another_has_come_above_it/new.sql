CREATE TABLE t (id integer PRIMARY KEY, n integer);
CREATE VIEW below AS SELECT id, n FROM t;
CREATE VIEW between AS SELECT id FROM below;
CREATE VIEW above AS SELECT id FROM between;

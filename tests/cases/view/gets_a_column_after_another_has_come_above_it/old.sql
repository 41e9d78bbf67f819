CREATE TABLE t (id integer PRIMARY KEY);
CREATE VIEW below AS SELECT id FROM t;
CREATE VIEW between AS SELECT id FROM below;
CREATE VIEW old_above AS SELECT id FROM between;

-- Each is what the next one was: an attribute comes, becomes another and goes.
CREATE TABLE t (id integer, a text);
CREATE VIEW v1 AS SELECT id, a FROM t;
ALTER VIEW v1 ALTER COLUMN a SET DEFAULT 'x';
CREATE VIEW v2 AS SELECT id, a FROM t;
ALTER VIEW v2 ALTER COLUMN a SET DEFAULT 'y';
CREATE VIEW v3 AS SELECT id, a FROM t;

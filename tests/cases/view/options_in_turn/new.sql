-- Each is what the next one was: an attribute comes, becomes another and goes.
CREATE TABLE t (id integer, a text);
CREATE VIEW v1 WITH (security_barrier = true) AS SELECT id, a FROM t WHERE id > 0;
CREATE VIEW v2 WITH (security_invoker = true) AS SELECT id, a FROM t WHERE id > 0;
CREATE VIEW v3 AS SELECT id, a FROM t WHERE id > 0 WITH LOCAL CHECK OPTION;
CREATE VIEW v4 AS SELECT id, a FROM t WHERE id > 0 WITH CASCADED CHECK OPTION;
CREATE VIEW v5 WITH (security_invoker = true) AS SELECT id, a FROM t WHERE id > 0 WITH LOCAL CHECK OPTION;
CREATE VIEW v6 AS SELECT id, a FROM t WHERE id > 0;

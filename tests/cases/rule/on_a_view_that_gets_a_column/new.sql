CREATE TABLE t (id integer PRIMARY KEY, a integer, b integer);
CREATE TABLE log (id integer, a text);
CREATE VIEW v AS SELECT id, a, b FROM t;
CREATE RULE ins AS ON INSERT TO v DO INSTEAD INSERT INTO t VALUES (NEW.id, NEW.a, NEW.b) RETURNING id, a, b;
CREATE RULE logged AS ON UPDATE TO t DO ALSO INSERT INTO log VALUES (OLD.id, OLD.a::text);

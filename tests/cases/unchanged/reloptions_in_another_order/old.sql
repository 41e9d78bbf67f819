CREATE TABLE contacts (id integer) WITH (fillfactor = 70, autovacuum_enabled = false);
CREATE VIEW v WITH (security_invoker = true, security_barrier = true) AS SELECT id FROM contacts;

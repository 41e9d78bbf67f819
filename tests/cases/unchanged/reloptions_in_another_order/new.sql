CREATE TABLE contacts (id integer) WITH (autovacuum_enabled = false, fillfactor = 70);
CREATE VIEW v WITH (security_barrier = true, security_invoker = true) AS SELECT id FROM contacts;

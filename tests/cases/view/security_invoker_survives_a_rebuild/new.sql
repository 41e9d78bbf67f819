CREATE TABLE contacts (id integer, name text);
CREATE VIEW names WITH (security_invoker = true, security_barrier = true) AS SELECT id, name FROM contacts;

CREATE TABLE contacts (id integer);
CREATE VIEW ids WITH (security_invoker = true) AS SELECT id FROM contacts;

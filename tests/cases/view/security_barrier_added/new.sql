CREATE TABLE contacts (id integer);
CREATE VIEW ids WITH (security_barrier = true) AS SELECT id FROM contacts;

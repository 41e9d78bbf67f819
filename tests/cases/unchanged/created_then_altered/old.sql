CREATE TABLE contacts (id bigint NOT NULL, name text DEFAULT 'x', age integer);
CREATE VIEW v WITH (security_invoker = true) AS SELECT id FROM contacts;

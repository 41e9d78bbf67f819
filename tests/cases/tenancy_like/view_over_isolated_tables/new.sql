CREATE TABLE contacts (user_id integer NOT NULL, name text);
ALTER TABLE contacts ENABLE ROW LEVEL SECURITY;
CREATE VIEW inbox WITH (security_invoker = on) AS SELECT user_id, name FROM contacts;
GRANT SELECT ON inbox TO authenticated;

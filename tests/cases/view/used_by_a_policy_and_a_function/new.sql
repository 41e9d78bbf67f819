CREATE TABLE contacts (id integer, name text);
CREATE VIEW ids AS SELECT id FROM contacts;
CREATE TABLE messages (contact_id integer);
ALTER TABLE messages ENABLE ROW LEVEL SECURITY;
CREATE POLICY known ON messages USING (contact_id IN (SELECT id FROM ids));
CREATE FUNCTION first_id() RETURNS integer LANGUAGE sql BEGIN ATOMIC SELECT min(id) FROM ids; END;

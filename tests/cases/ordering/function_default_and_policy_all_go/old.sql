CREATE TABLE settings (tenant integer);
CREATE FUNCTION tenant() RETURNS integer LANGUAGE sql STABLE BEGIN ATOMIC SELECT min(tenant) FROM settings; END;
CREATE TABLE contacts (id integer, user_id integer DEFAULT tenant());
CREATE POLICY own ON contacts USING (user_id = (SELECT tenant()));
CREATE VIEW own AS SELECT id FROM contacts WHERE user_id = tenant();

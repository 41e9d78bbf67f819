CREATE TABLE contacts (id numeric, owner bigint, name text);
ALTER TABLE contacts ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON contacts TO authenticated USING (owner = current_setting('app.id', true)::bigint AND name <> '');
CREATE POLICY few ON contacts AS RESTRICTIVE USING (id <= 10);

CREATE TABLE contacts (id integer, owner integer, name varchar(20));
ALTER TABLE contacts ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON contacts TO authenticated USING (owner = current_setting('app.id', true)::integer AND name <> '');
CREATE POLICY few ON contacts AS RESTRICTIVE USING (id <= 10);
INSERT INTO contacts VALUES (1, 1, 'ann');

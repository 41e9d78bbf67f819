CREATE TABLE contacts (id integer, owner text);
ALTER TABLE contacts ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON contacts USING (owner = CURRENT_USER);

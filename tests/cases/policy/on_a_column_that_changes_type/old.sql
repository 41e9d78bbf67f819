CREATE TABLE contacts (id integer, owner varchar(20));
ALTER TABLE contacts ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON contacts TO authenticated USING (owner = CURRENT_USER);
COMMENT ON POLICY own ON contacts IS 'Only their own';

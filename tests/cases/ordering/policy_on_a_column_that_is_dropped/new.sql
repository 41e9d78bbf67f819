CREATE TABLE contacts (id integer, user_id integer);
ALTER TABLE contacts ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON contacts USING (user_id = 1);

CREATE TABLE contacts (id integer PRIMARY KEY, owner_name text NOT NULL, phone text);
GRANT SELECT, UPDATE ON contacts TO app_reader;
ALTER TABLE contacts ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON contacts USING (owner_name = current_user);
CREATE POLICY everything ON contacts FOR SELECT TO app_reader USING (true);

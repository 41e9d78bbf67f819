CREATE TABLE contacts (id integer PRIMARY KEY, owner_name text NOT NULL, phone text);
GRANT SELECT, DELETE ON contacts TO app_reader;
ALTER TABLE contacts ENABLE ROW LEVEL SECURITY;
CREATE POLICY everything ON contacts USING (true);

CREATE TABLE contacts (id integer, user_id integer);
GRANT SELECT ON contacts TO app_reader;
CREATE POLICY everyone ON contacts USING (true);
ALTER TABLE contacts ENABLE ROW LEVEL SECURITY;

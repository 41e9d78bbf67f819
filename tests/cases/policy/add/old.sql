CREATE TABLE contacts (id integer, user_id integer);
ALTER TABLE contacts ENABLE ROW LEVEL SECURITY;

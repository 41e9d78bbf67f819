CREATE TABLE contacts (id integer PRIMARY KEY, owner_name text NOT NULL, phone text);
ALTER TABLE contacts ENABLE ROW LEVEL SECURITY;

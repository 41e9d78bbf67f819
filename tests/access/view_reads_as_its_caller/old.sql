CREATE TABLE contacts (id integer PRIMARY KEY, owner_name text NOT NULL, phone text);
ALTER TABLE contacts ENABLE ROW LEVEL SECURITY;
CREATE VIEW phones AS SELECT id, phone FROM contacts;
CREATE VIEW how_many AS SELECT count(*) FROM contacts;
GRANT SELECT ON phones, how_many, contacts TO app_reader;

CREATE TABLE contacts (id integer PRIMARY KEY, owner_name text NOT NULL, phone text);
GRANT SELECT ON contacts TO app_reader;
CREATE TABLE orders (id integer PRIMARY KEY, contact_id integer REFERENCES contacts);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
GRANT SELECT, INSERT ON orders TO app_writer;
CREATE VIEW phones AS SELECT phone FROM contacts;
CREATE MATERIALIZED VIEW how_many AS SELECT count(*) FROM contacts;
GRANT SELECT ON phones TO PUBLIC;
GRANT SELECT ON how_many TO app_writer;

CREATE TABLE contacts (id integer PRIMARY KEY, owner_name text NOT NULL, phone text);
ALTER TABLE contacts OWNER TO app_owner;
GRANT SELECT ON contacts TO app_reader;

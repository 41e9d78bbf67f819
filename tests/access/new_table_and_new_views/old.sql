CREATE TABLE contacts (id integer PRIMARY KEY, owner_name text NOT NULL, phone text);
GRANT SELECT ON contacts TO app_reader;

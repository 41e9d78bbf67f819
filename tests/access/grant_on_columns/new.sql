CREATE TABLE contacts (id integer PRIMARY KEY, owner_name text NOT NULL, phone text);
GRANT SELECT (id, phone), UPDATE (phone), INSERT (id, owner_name) ON contacts TO app_reader;

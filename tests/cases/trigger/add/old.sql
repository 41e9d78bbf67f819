CREATE TABLE contacts (id integer, updated_at timestamptz);

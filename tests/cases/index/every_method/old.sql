CREATE TABLE contacts (name text, tags text[], place point, at timestamptz);

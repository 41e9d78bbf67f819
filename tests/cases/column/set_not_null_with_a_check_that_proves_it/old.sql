CREATE TABLE contacts (name text, CONSTRAINT name_is_there CHECK (name IS NOT NULL));

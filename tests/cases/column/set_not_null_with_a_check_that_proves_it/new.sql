CREATE TABLE contacts (name text NOT NULL, CONSTRAINT name_is_there CHECK (name IS NOT NULL));

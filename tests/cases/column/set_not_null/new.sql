CREATE TABLE contacts (name text NOT NULL);

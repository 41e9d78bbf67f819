CREATE TABLE contacts (name text, code text COLLATE "C");

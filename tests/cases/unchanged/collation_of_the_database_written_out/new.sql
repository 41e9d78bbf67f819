CREATE TABLE contacts (name text COLLATE "default", code text COLLATE pg_catalog."C");

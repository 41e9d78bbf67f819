CREATE TABLE contacts (name text);

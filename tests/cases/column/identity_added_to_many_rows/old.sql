CREATE TABLE contacts (name text, code bigint PRIMARY KEY);

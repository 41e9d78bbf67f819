CREATE TABLE contacts (name text, id serial PRIMARY KEY);

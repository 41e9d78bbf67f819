CREATE TABLE contacts (id serial PRIMARY KEY, name text);

-- Code that runs gives the values until contract.
CREATE TABLE contacts (id integer PRIMARY KEY, name text);
CREATE TABLE tags (id serial PRIMARY KEY, name text);

CREATE TABLE contacts (id integer, name text);
CREATE TABLE names (name text);

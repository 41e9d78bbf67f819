CREATE TABLE contacts (id integer PRIMARY KEY, name text, secret text);
CREATE PUBLICATION changes FOR TABLE contacts (id, name) WHERE (id > 100);

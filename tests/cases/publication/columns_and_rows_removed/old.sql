CREATE TABLE contacts (id integer PRIMARY KEY, name text);
CREATE PUBLICATION changes FOR TABLE contacts (id) WHERE (id > 100);

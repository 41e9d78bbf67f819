CREATE TABLE contacts (id integer PRIMARY KEY);
CREATE PUBLICATION changes FOR TABLE contacts;

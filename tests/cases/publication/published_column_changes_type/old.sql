CREATE TABLE contacts (id integer PRIMARY KEY, size integer);
ALTER TABLE contacts REPLICA IDENTITY FULL;
CREATE PUBLICATION changes FOR TABLE contacts WHERE (size > 5);

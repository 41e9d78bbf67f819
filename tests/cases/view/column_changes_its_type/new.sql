CREATE TABLE contacts (id integer);
CREATE VIEW ids AS SELECT id::text AS id FROM contacts;

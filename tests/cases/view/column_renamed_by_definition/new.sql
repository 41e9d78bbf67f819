CREATE TABLE contacts (id integer);
CREATE VIEW ids AS SELECT id AS contact_id FROM contacts;

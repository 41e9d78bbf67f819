CREATE TABLE contacts (id integer PRIMARY KEY, phone text);
CREATE VIEW phones AS SELECT id AS contact_id, phone FROM contacts;

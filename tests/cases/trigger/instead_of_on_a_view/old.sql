CREATE TABLE contacts (id integer);
CREATE VIEW ids AS SELECT id FROM contacts;

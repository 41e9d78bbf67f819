CREATE TABLE contacts (id integer, name text);
CREATE VIEW everyone AS SELECT contacts.id, contacts.name FROM contacts;

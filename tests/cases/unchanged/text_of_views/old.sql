CREATE TABLE contacts (id integer, name text);
CREATE TABLE messages (contact_id integer, body text);
CREATE VIEW letters AS SELECT name, body FROM contacts JOIN messages ON id = contact_id WHERE name LIKE 'A%';

CREATE SCHEMA archive;
CREATE TABLE contacts (id integer, name text);
INSERT INTO contacts SELECT g, 'contact ' || g FROM generate_series(1, 100) g;
CREATE TABLE archive.contacts (id integer, name text);
INSERT INTO archive.contacts SELECT g, 'contact ' || g FROM generate_series(1, 100) g;

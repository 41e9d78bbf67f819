CREATE SCHEMA archive;
CREATE TABLE contacts (id integer, name text);
CREATE INDEX contacts_name_idx ON contacts (name);
CREATE TABLE archive.contacts (id integer, name text);
CREATE INDEX contacts_id_idx ON archive.contacts (id);

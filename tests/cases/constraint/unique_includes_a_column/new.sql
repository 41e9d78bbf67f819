CREATE TABLE contacts (id integer, name text, CONSTRAINT contacts_id_key UNIQUE (id) INCLUDE (name));

CREATE TABLE contacts (id integer, name text);
CREATE VIEW everyone AS SELECT * FROM contacts;

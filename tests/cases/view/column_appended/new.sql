CREATE TABLE contacts (id integer, name text);
CREATE VIEW names AS SELECT name, id FROM contacts;

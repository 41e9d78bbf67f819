CREATE TABLE contacts (id integer, name text);
CREATE VIEW names AS SELECT name FROM contacts;

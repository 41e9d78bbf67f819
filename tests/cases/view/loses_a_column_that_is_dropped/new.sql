CREATE TABLE contacts (id integer);
CREATE VIEW everyone AS SELECT * FROM contacts;

CREATE TABLE contacts (id integer, fax text);
CREATE VIEW everyone AS SELECT * FROM contacts;

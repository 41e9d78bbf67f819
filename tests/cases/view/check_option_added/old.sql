CREATE TABLE contacts (id integer);
CREATE VIEW positive AS SELECT id FROM contacts WHERE id > 0;

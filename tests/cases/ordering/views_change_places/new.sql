CREATE TABLE contacts (id integer);
CREATE VIEW b AS SELECT id FROM contacts;
CREATE VIEW a AS SELECT id FROM b;

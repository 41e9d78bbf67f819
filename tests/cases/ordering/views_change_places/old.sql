-- Each now reads from the other: both have to go before either can come back.
CREATE TABLE contacts (id integer);
CREATE VIEW a AS SELECT id FROM contacts;
CREATE VIEW b AS SELECT id FROM a;

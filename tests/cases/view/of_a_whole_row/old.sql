CREATE TABLE contacts (id integer);
CREATE VIEW rows AS SELECT c, to_jsonb(c) AS data FROM contacts c;

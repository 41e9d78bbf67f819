CREATE TABLE contacts (id integer, name text);
CREATE VIEW rows AS SELECT c, to_jsonb(c) AS data FROM contacts c;

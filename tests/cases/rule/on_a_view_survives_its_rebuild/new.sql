CREATE TABLE contacts (id integer, name text);
CREATE VIEW names AS SELECT id, name FROM contacts;
CREATE RULE put AS ON INSERT TO names DO INSTEAD INSERT INTO contacts VALUES (NEW.id, NEW.name);

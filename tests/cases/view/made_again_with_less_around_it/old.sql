CREATE TABLE contacts (id integer, name text);
CREATE VIEW names AS SELECT id, name FROM contacts;
ALTER VIEW names ALTER COLUMN name SET DEFAULT 'nobody';
GRANT SELECT, INSERT ON names TO app_reader;
GRANT SELECT (name) ON names TO app_writer;
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER keep INSTEAD OF UPDATE ON names FOR EACH ROW EXECUTE FUNCTION keep();

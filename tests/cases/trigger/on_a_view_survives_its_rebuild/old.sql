CREATE TABLE contacts (id integer, name varchar(5));
CREATE VIEW names AS SELECT id, name FROM contacts;
CREATE FUNCTION put() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO contacts VALUES (NEW.id); RETURN NEW; END $$;
CREATE TRIGGER put INSTEAD OF INSERT ON names FOR EACH ROW EXECUTE FUNCTION put();
COMMENT ON TRIGGER put ON names IS 'Writes through';

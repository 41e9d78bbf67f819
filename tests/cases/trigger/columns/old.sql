CREATE TABLE contacts (id integer, name text, age integer);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE UPDATE OF name ON contacts FOR EACH ROW EXECUTE FUNCTION touch();

CREATE TABLE contacts (id integer, size integer, fax text);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE UPDATE OF size, fax ON contacts FOR EACH ROW EXECUTE FUNCTION touch();

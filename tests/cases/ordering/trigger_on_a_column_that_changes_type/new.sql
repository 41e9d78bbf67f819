CREATE TABLE contacts (id integer, size bigint);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE UPDATE OF size ON contacts FOR EACH ROW WHEN (NEW.size > OLD.size) EXECUTE FUNCTION touch();
COMMENT ON TRIGGER touch ON contacts IS 'Growing';

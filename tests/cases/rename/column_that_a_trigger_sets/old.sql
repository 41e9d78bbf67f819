CREATE TABLE contacts (id integer, phone text, seen timestamptz);
CREATE FUNCTION trim_phone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.phone := btrim(NEW.phone); RETURN NEW; END $$;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.seen := now(); RETURN NEW; END $$;
CREATE TRIGGER trim_phone BEFORE INSERT OR UPDATE ON contacts FOR EACH ROW EXECUTE FUNCTION trim_phone();
CREATE TRIGGER "Touch" BEFORE INSERT OR UPDATE ON contacts FOR EACH ROW EXECUTE FUNCTION touch();

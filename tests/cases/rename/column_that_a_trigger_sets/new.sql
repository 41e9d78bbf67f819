CREATE TABLE contacts (
    id integer,
    number text, -- tenantry: was phone
    seen_at timestamptz -- tenantry: was seen
);
CREATE FUNCTION trim_phone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.number := btrim(NEW.number); RETURN NEW; END $$;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.seen_at := now(); RETURN NEW; END $$;
CREATE TRIGGER trim_phone BEFORE INSERT OR UPDATE ON contacts FOR EACH ROW EXECUTE FUNCTION trim_phone();
CREATE TRIGGER "Touch" BEFORE INSERT OR UPDATE ON contacts FOR EACH ROW EXECUTE FUNCTION touch();

CREATE TABLE people ( -- tenantry: was contacts
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    phone text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now() -- tenantry: was updated_at
);
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.changed_at := now(); RETURN NEW; END $$;
CREATE TRIGGER people_stamp BEFORE UPDATE ON people
    FOR EACH ROW WHEN (old.* IS DISTINCT FROM new.*) EXECUTE FUNCTION stamp();

CREATE TABLE contacts (id integer);
CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER audit AFTER INSERT ON contacts EXECUTE FUNCTION audit();
COMMENT ON TRIGGER audit ON contacts IS 'Writes things down';

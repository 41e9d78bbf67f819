CREATE TABLE contacts (
    id integer,
    number text CONSTRAINT known CHECK (number <> ''), -- tenantry: was phone
    code text GENERATED ALWAYS AS (left(number, 3)) STORED,
    CONSTRAINT contacts_phone_key UNIQUE (number)
);
CREATE INDEX contacts_lower_idx ON contacts (lower(number)) WHERE number IS NOT NULL;
CREATE VIEW phones AS SELECT number AS phone FROM contacts;
CREATE POLICY own ON contacts USING (number = CURRENT_USER);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE UPDATE OF number ON contacts FOR EACH ROW WHEN (NEW.number <> '') EXECUTE FUNCTION touch();
CREATE TABLE calls (phone text CONSTRAINT whom REFERENCES contacts (number));
GRANT SELECT (number) ON contacts TO app_reader;
COMMENT ON COLUMN contacts.number IS 'International';

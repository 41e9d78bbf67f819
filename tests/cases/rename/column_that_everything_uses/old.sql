CREATE TABLE contacts (
    id integer,
    phone text CONSTRAINT known CHECK (phone <> ''),
    code text GENERATED ALWAYS AS (left(phone, 3)) STORED,
    CONSTRAINT contacts_phone_key UNIQUE (phone)
);
CREATE INDEX contacts_lower_idx ON contacts (lower(phone)) WHERE phone IS NOT NULL;
CREATE VIEW phones AS SELECT phone FROM contacts;
CREATE POLICY own ON contacts USING (phone = CURRENT_USER);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE UPDATE OF phone ON contacts FOR EACH ROW WHEN (NEW.phone <> '') EXECUTE FUNCTION touch();
CREATE TABLE calls (phone text CONSTRAINT whom REFERENCES contacts (phone));
GRANT SELECT (phone) ON contacts TO app_reader;
COMMENT ON COLUMN contacts.phone IS 'International';

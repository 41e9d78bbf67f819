CREATE TABLE contacts (
    id integer PRIMARY KEY,
    phone text NOT NULL DEFAULT '' CONSTRAINT known CHECK (phone <> '-'),
    CONSTRAINT contacts_phone_key UNIQUE (phone)
);
CREATE INDEX contacts_lower_idx ON contacts (lower(phone)) WHERE phone IS NOT NULL;
CREATE VIEW phones AS SELECT phone FROM contacts;
CREATE POLICY own ON contacts USING (phone = CURRENT_USER);
CREATE TABLE calls (phone text CONSTRAINT whom REFERENCES contacts (phone) ON UPDATE CASCADE);
GRANT SELECT (phone), UPDATE (phone) ON contacts TO app_reader;
COMMENT ON COLUMN contacts.phone IS 'International';

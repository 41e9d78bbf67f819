CREATE TABLE contacts (
    id integer PRIMARY KEY,
    number text NOT NULL DEFAULT '' CONSTRAINT known CHECK (number <> '-'), -- tenantry: was phone
    CONSTRAINT contacts_phone_key UNIQUE (number)
);
CREATE INDEX contacts_lower_idx ON contacts (lower(number)) WHERE number IS NOT NULL;
CREATE VIEW phones AS SELECT number AS phone FROM contacts;
CREATE POLICY own ON contacts USING (number = CURRENT_USER);
CREATE TABLE calls (phone text CONSTRAINT whom REFERENCES contacts (number) ON UPDATE CASCADE);
GRANT SELECT (number), UPDATE (number) ON contacts TO app_reader;
COMMENT ON COLUMN contacts.number IS 'International';

CREATE TABLE contacts (id integer, fax integer UNIQUE CHECK (fax > 0), CHECK (fax <> id));
CREATE INDEX contacts_both_idx ON contacts (id, fax);
CREATE INDEX contacts_some_idx ON contacts (id) WHERE fax > 5;
COMMENT ON COLUMN contacts.fax IS 'Remember?';
CREATE VIEW faxes AS SELECT fax FROM contacts;
CREATE POLICY faxed ON contacts USING (fax > 0);

CREATE TABLE contacts (name text);
CREATE INDEX contacts_idx ON contacts (name);
COMMENT ON INDEX contacts_idx IS 'For the search box';

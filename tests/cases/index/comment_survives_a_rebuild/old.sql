CREATE TABLE contacts (name text, id integer);
CREATE INDEX contacts_idx ON contacts (name);
COMMENT ON INDEX contacts_idx IS 'For the search box';

CREATE TABLE contacts (id integer, size numeric);
CREATE INDEX contacts_size_idx ON contacts (size);
CREATE INDEX contacts_big_idx ON contacts (id) WHERE size > 5;
COMMENT ON INDEX contacts_big_idx IS 'The big ones';

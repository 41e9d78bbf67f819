CREATE TABLE contacts (id integer);
COMMENT ON TABLE contacts IS 'People';
COMMENT ON COLUMN contacts.id IS 'A number';

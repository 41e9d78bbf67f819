CREATE TABLE contacts (id integer);
COMMENT ON TABLE contacts IS 'The people
whom we talk to';
COMMENT ON COLUMN contacts.id IS 'It''s a "number" $$ \ -- /* ; */';

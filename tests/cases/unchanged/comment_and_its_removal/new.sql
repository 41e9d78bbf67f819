CREATE TABLE contacts (id integer);
COMMENT ON TABLE contacts IS 'People';
COMMENT ON TABLE contacts IS NULL;

CREATE TABLE contacts (id integer);
CREATE POLICY visible ON contacts USING (id > 0);
COMMENT ON POLICY visible ON contacts IS 'Some of them';

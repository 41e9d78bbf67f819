CREATE TABLE contacts (id integer);
CREATE POLICY visible ON contacts USING (true);
COMMENT ON POLICY visible ON contacts IS 'For all of them';

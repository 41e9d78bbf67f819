-- ALTER POLICY cannot take an expression away.
CREATE TABLE contacts (id integer);
CREATE POLICY visible ON contacts USING (id > 0) WITH CHECK (id > 5);
COMMENT ON POLICY visible ON contacts IS 'Some of them';

CREATE SEQUENCE numbers;
CREATE TABLE contacts (id integer, name text);
CREATE INDEX contacts_idx ON contacts (name, id DESC);
CREATE FUNCTION one() RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE POLICY p ON contacts USING (true);

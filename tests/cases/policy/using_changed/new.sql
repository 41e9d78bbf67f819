CREATE TABLE contacts (id integer);
CREATE POLICY visible ON contacts USING (id > 10);

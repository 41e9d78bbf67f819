CREATE TABLE contacts (id integer);
CREATE POLICY visible ON contacts FOR DELETE USING (id > 0);

CREATE TABLE contacts (id integer);
CREATE POLICY visible ON contacts FOR SELECT USING (id > 0);

CREATE TABLE contacts (id integer);
CREATE POLICY everyone ON contacts USING (true);

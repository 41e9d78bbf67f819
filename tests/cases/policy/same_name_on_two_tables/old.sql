CREATE TABLE a (id integer);
CREATE TABLE b (id integer);
CREATE POLICY tenant ON a USING (id = 1);

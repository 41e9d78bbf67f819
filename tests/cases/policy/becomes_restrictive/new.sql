CREATE TABLE contacts (id integer);
CREATE POLICY visible ON contacts AS RESTRICTIVE USING (id > 0);

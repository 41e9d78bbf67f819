CREATE TABLE contacts (id integer, user_id integer);
ALTER TABLE contacts ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON contacts
    USING (user_id = (SELECT current_setting('app.tenant')::integer))
    WITH CHECK (user_id > 0);

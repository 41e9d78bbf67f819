CREATE SCHEMA app;
CREATE FUNCTION app.current_tenant() RETURNS integer LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('app.tenant', true), '')::integer;
CREATE TABLE contacts (user_id integer NOT NULL, name text);
CREATE INDEX contacts_user_id_idx ON contacts (user_id);
ALTER TABLE contacts ENABLE ROW LEVEL SECURITY;
ALTER TABLE contacts FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON contacts TO authenticated
    USING (user_id = (SELECT app.current_tenant()))
    WITH CHECK (user_id = (SELECT app.current_tenant()));
CREATE POLICY service ON contacts TO service_role USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON contacts TO authenticated;

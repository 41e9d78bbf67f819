CREATE SCHEMA app;
CREATE FUNCTION app.current_tenant() RETURNS integer LANGUAGE sql STABLE
    RETURN nullif(current_setting('app.tenant', true), '')::integer;
GRANT USAGE ON SCHEMA app TO PUBLIC;
CREATE TABLE users (id integer PRIMARY KEY, name text);
CREATE TABLE contacts (id integer PRIMARY KEY, user_id integer NOT NULL REFERENCES users, phone text);
GRANT SELECT, INSERT, UPDATE, DELETE ON contacts TO app_reader, service_role;
ALTER TABLE contacts ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON contacts TO app_reader USING (user_id = (SELECT app.current_tenant()));

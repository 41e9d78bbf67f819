CREATE SCHEMA app;
CREATE FUNCTION app.current_tenant() RETURNS integer LANGUAGE sql STABLE
    RETURN nullif(current_setting('app.tenant', true), '')::integer;
CREATE TABLE contacts (id integer, user_id integer);
CREATE POLICY tenant ON contacts USING (user_id = (SELECT app.current_tenant()));

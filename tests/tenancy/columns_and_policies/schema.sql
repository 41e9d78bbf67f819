CREATE SCHEMA app;
CREATE FUNCTION app.tenant() RETURNS integer LANGUAGE sql STABLE RETURN nullif(current_setting('app.tenant', true), '')::integer;
CREATE TABLE users (id serial PRIMARY KEY, email text NOT NULL);
CREATE TABLE notes (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    body text NOT NULL -- what was noted
);
CREATE TABLE empty_table ();
CREATE TABLE has_some (id bigserial PRIMARY KEY, user_id int, body text);
CREATE TABLE has_all (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id integer NOT NULL REFERENCES users (id) ON DELETE RESTRICT
);
CREATE INDEX has_all_by_user ON has_all (user_id, id);
ALTER TABLE has_all ENABLE ROW LEVEL SECURITY;
ALTER TABLE has_all FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON has_all USING (user_id = (SELECT app.tenant())) WITH CHECK (user_id = (SELECT app.tenant()));
CREATE POLICY tenant_guard ON has_all AS RESTRICTIVE USING (user_id = (SELECT app.tenant()));

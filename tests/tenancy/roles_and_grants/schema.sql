CREATE SCHEMA app;
CREATE FUNCTION app.tenant() RETURNS integer LANGUAGE sql STABLE RETURN nullif(current_setting('app.tenant', true), '')::integer;
CREATE TABLE users (id serial PRIMARY KEY, email text NOT NULL);
CREATE TABLE plans (id serial PRIMARY KEY);
CREATE TABLE notes (id serial PRIMARY KEY, n integer GENERATED ALWAYS AS IDENTITY, body text);
CREATE VIEW titles AS SELECT left(body, 10) AS title FROM notes;
GRANT SELECT ON titles, plans TO anon;

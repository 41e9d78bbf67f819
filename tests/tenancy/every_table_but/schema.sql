CREATE SCHEMA app;
CREATE FUNCTION app.current_tenant() RETURNS integer LANGUAGE sql STABLE RETURN nullif(current_setting('app.tenant', true), '')::integer;
CREATE SCHEMA ref;
CREATE TABLE users (id integer PRIMARY KEY);
CREATE TABLE notes (id serial PRIMARY KEY, text text);
CREATE TABLE plans (id integer PRIMARY KEY);
CREATE TABLE ref.countries (code text PRIMARY KEY);
CREATE TABLE checkpoints (thread_id text PRIMARY KEY);

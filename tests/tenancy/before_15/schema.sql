CREATE SCHEMA app;
CREATE FUNCTION app.tenant() RETURNS integer LANGUAGE sql STABLE RETURN nullif(current_setting('app.tenant', true), '')::integer;
CREATE TABLE users (id serial PRIMARY KEY, email text NOT NULL);
CREATE TABLE notes (id serial PRIMARY KEY, reply_to integer REFERENCES notes ON DELETE SET NULL);
CREATE VIEW recent AS SELECT * FROM notes;

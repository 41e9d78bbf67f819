CREATE SCHEMA app;
CREATE FUNCTION app.tenant() RETURNS integer LANGUAGE sql STABLE RETURN nullif(current_setting('app.tenant', true), '')::integer;
CREATE TABLE users (id serial PRIMARY KEY, email text NOT NULL);
CREATE FUNCTION app.team() RETURNS bigint LANGUAGE sql STABLE RETURN 1;
CREATE TABLE teams (id bigserial PRIMARY KEY, name text UNIQUE);
CREATE TABLE tasks (id serial PRIMARY KEY, title text UNIQUE, invoice_id integer REFERENCES invoices);
CREATE TABLE notes (id serial PRIMARY KEY, team_id bigint NOT NULL, task_id integer REFERENCES tasks ON DELETE SET NULL);
CREATE TABLE invoices (id serial PRIMARY KEY, team_id bigint REFERENCES teams, task_id integer REFERENCES tasks);

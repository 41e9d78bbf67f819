CREATE SCHEMA app;
CREATE FUNCTION app.tenant() RETURNS integer LANGUAGE sql STABLE
    RETURN nullif(current_setting('app.tenant', true), '')::integer;
CREATE FUNCTION app.may(integer) RETURNS boolean LANGUAGE sql STABLE RETURN true;
CREATE TABLE users (id serial PRIMARY KEY, email text NOT NULL UNIQUE);
CREATE TABLE plans (id serial PRIMARY KEY);
CREATE TABLE chats (id serial PRIMARY KEY, plan_id integer REFERENCES plans, label text UNIQUE);
CREATE TABLE notes (id serial PRIMARY KEY, chat_id integer REFERENCES chats ON DELETE SET NULL, body text);
CREATE TABLE events (id bigserial, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events DEFAULT;
CREATE VIEW recent AS SELECT * FROM notes;
CREATE FUNCTION app.mine() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = ''
    AS 'SELECT count(*) FROM public.notes WHERE user_id = app.tenant()';

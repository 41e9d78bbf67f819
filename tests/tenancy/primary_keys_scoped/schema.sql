CREATE SCHEMA app;
CREATE FUNCTION app.tenant() RETURNS integer LANGUAGE sql STABLE RETURN nullif(current_setting('app.tenant', true), '')::integer;
CREATE TABLE users (id serial PRIMARY KEY, email text NOT NULL);
CREATE TABLE chats (id serial PRIMARY KEY);
CREATE TABLE messages (id bigserial, chat_id integer REFERENCES chats ON DELETE CASCADE, PRIMARY KEY (id));

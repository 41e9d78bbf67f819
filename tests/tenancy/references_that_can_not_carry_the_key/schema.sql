CREATE SCHEMA app;
CREATE FUNCTION app.tenant() RETURNS integer LANGUAGE sql STABLE RETURN nullif(current_setting('app.tenant', true), '')::integer;
CREATE TABLE users (id serial PRIMARY KEY, email text NOT NULL);
CREATE TABLE notes (a integer, b integer, up integer UNIQUE, PRIMARY KEY (a, b));
CREATE TABLE uses (
    a integer,
    b integer,
    up integer REFERENCES notes (up) ON UPDATE SET NULL,
    FOREIGN KEY (a, b) REFERENCES notes MATCH FULL
);
CREATE TYPE point3 AS (x integer, y integer);
CREATE TABLE typed OF point3;

CREATE SCHEMA app;
CREATE TYPE app.state AS ENUM ('open', 'done');
CREATE FUNCTION app.initial() RETURNS app.state LANGUAGE sql RETURN 'open'::app.state;
CREATE TABLE app.tasks (id integer PRIMARY KEY, done app.state DEFAULT app.initial());

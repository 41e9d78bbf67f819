CREATE SCHEMA app;
CREATE TYPE app.state AS ENUM ('open', 'done');
CREATE FUNCTION app.initial() RETURNS app.state LANGUAGE sql RETURN 'open'::app.state;
CREATE TABLE app.tasks (id serial PRIMARY KEY, state app.state DEFAULT app.initial());
CREATE VIEW app.open_tasks AS SELECT id FROM app.tasks WHERE state = 'open';

CREATE SCHEMA app;
CREATE TABLE app.tasks (id integer PRIMARY KEY, title text);

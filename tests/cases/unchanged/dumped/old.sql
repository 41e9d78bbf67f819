-- As pg_dump writes it.
CREATE SCHEMA app;
CREATE TYPE app.mood AS ENUM ('sad', 'ok');
CREATE TABLE contacts (id serial PRIMARY KEY, mood app.mood DEFAULT 'ok', name varchar(20) NOT NULL);
CREATE INDEX contacts_name_idx ON contacts (name);
GRANT SELECT ON contacts TO app_reader;

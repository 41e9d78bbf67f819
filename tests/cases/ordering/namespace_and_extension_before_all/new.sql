CREATE SCHEMA ext;
CREATE EXTENSION citext SCHEMA ext;
CREATE EXTENSION hstore SCHEMA ext;
CREATE SCHEMA app;
CREATE DOMAIN app.email AS ext.citext CHECK (VALUE ~ '@');
CREATE TABLE app.users (email app.email UNIQUE, attributes ext.hstore NOT NULL DEFAULT ''::ext.hstore);
CREATE INDEX users_attributes_idx ON app.users USING gin (attributes);

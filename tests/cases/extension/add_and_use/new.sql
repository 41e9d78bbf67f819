CREATE EXTENSION citext;
CREATE EXTENSION pg_trgm;
CREATE TABLE users (id integer PRIMARY KEY, email citext);
CREATE INDEX users_email_idx ON users USING gin ((email::text) gin_trgm_ops);

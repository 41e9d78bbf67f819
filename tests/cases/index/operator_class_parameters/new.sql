CREATE EXTENSION pg_trgm;
CREATE TABLE contacts (name text);
CREATE INDEX contacts_idx ON contacts USING gist (name gist_trgm_ops (siglen = 32));

CREATE TABLE t (name text, active boolean);
CREATE INDEX i ON t (lower(name)) WHERE active AND name IS NOT NULL;

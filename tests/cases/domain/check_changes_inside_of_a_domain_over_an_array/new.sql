CREATE DOMAIN positive AS integer CONSTRAINT above CHECK (VALUE > 1);
CREATE DOMAIN sizes AS positive[] CONSTRAINT few CHECK (cardinality(VALUE) < 9);
CREATE DOMAIN more AS sizes;
CREATE TABLE boxes (id integer PRIMARY KEY, plain positive, all_of sizes, others more);
CREATE VIEW first_sizes AS SELECT id, all_of[1] AS size FROM boxes;

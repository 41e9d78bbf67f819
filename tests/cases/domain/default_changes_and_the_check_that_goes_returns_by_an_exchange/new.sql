CREATE DOMAIN code AS text DEFAULT 'x';
CREATE TYPE another AS (x integer);
CREATE TABLE t (id integer PRIMARY KEY, codes code[]) PARTITION BY RANGE (id);
CREATE TABLE t_first PARTITION OF t FOR VALUES FROM (0) TO (100);
CREATE INDEX t_codes ON t (codes) WHERE id > 7;

CREATE TABLE a (id integer, v text, w integer, z integer DEFAULT 5 NOT NULL, u uuid DEFAULT gen_random_uuid());
CREATE TABLE b (id integer, x a, many a[]);

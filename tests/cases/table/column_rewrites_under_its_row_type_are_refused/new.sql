CREATE TABLE a (id integer, v integer, w integer GENERATED ALWAYS AS (v + 1) STORED, n bigint GENERATED ALWAYS AS IDENTITY);
CREATE DOMAIN held AS a;
CREATE TABLE b (id integer, x held);

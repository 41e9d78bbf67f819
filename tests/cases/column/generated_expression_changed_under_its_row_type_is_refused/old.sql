CREATE TABLE a (id integer, v integer, w integer GENERATED ALWAYS AS (v + 1) STORED);
CREATE TABLE b (id integer, x a);

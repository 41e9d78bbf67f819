CREATE TYPE mood AS ENUM ('ok', 'fine');
CREATE TABLE t (id integer PRIMARY KEY, m mood, good boolean GENERATED ALWAYS AS (m > 'ok'::mood) STORED);
CREATE INDEX t_good ON t (good) WHERE good;
CREATE INDEX t_m ON t (m) WHERE m = 'ok';

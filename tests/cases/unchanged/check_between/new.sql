CREATE TABLE t (x integer CONSTRAINT c CHECK (x >= 1 AND x <= 10), y text CONSTRAINT d CHECK (y !~~ 'a%'));

-- The server proves nothing of values in arrays, rows and ranges: another domain takes the place.
CREATE DOMAIN positive AS integer CONSTRAINT above_zero CHECK (VALUE > 0);
COMMENT ON DOMAIN positive IS 'more than nothing';
CREATE DOMAIN small AS positive CONSTRAINT below_ten CHECK (VALUE < 10);
COMMENT ON CONSTRAINT below_ten ON DOMAIN small IS 'one digit';
CREATE TYPE span AS RANGE (subtype = positive, multirange_type_name = spans);
COMMENT ON TYPE span IS 'from and to';
CREATE TYPE pair AS (a positive, b small, c span);
CREATE TYPE nested AS (p pair, t text);
CREATE FUNCTION more(small) RETURNS integer LANGUAGE sql RETURN $1 + 1;
CREATE TABLE boxes (
    id integer PRIMARY KEY,
    plain positive DEFAULT 1,
    sizes positive[] NOT NULL DEFAULT '{1}',
    smalls small[],
    one pair,
    two nested,
    within span,
    without spans
);
CREATE INDEX ON boxes USING gist (within);
CREATE VIEW first_sizes AS SELECT id, sizes[1] AS size FROM boxes;
CREATE TABLE parts (id integer, sizes positive[]) PARTITION BY LIST (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);

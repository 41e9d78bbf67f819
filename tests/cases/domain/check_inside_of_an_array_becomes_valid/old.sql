CREATE DOMAIN code AS text;
ALTER DOMAIN code ADD CONSTRAINT not_empty CHECK (VALUE <> '') NOT VALID;
ALTER DOMAIN code ADD CONSTRAINT short CHECK (length(VALUE) < 9) NOT VALID;
COMMENT ON CONSTRAINT not_empty ON DOMAIN code IS 'says something';
CREATE TABLE parcels (id integer, codes code[]);

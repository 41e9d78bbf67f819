CREATE DOMAIN code AS text CONSTRAINT not_empty CHECK (VALUE <> '');
ALTER DOMAIN code ADD CONSTRAINT short CHECK (length(VALUE) < 9) NOT VALID;
COMMENT ON CONSTRAINT not_empty ON DOMAIN code IS 'says something';
CREATE TABLE parcels (id integer, codes code[]);

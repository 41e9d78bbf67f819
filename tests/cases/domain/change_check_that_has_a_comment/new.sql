CREATE DOMAIN email AS text CONSTRAINT shape CHECK (VALUE ~ '^.+@');
COMMENT ON CONSTRAINT shape ON DOMAIN email IS 'somewhere';
CREATE TABLE users (id integer, email email);

CREATE DOMAIN email AS text CONSTRAINT has_an_at CHECK (VALUE ~ '@');
ALTER DOMAIN email OWNER TO app_owner;
COMMENT ON DOMAIN email IS 'An address';
COMMENT ON CONSTRAINT has_an_at ON DOMAIN email IS 'Good enough';
REVOKE ALL ON DOMAIN email FROM PUBLIC;
GRANT USAGE ON DOMAIN email TO app_writer;

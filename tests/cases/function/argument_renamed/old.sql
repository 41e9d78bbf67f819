CREATE FUNCTION twice(n integer) RETURNS integer LANGUAGE sql AS 'SELECT n * 2';
GRANT EXECUTE ON FUNCTION twice TO app_reader;
COMMENT ON FUNCTION twice IS 'Two times';

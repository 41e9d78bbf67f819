CREATE FUNCTION twice(number integer) RETURNS integer LANGUAGE sql AS 'SELECT number * 2';
GRANT EXECUTE ON FUNCTION twice TO app_reader;
COMMENT ON FUNCTION twice IS 'Two times';

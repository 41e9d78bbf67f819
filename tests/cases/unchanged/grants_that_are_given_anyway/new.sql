CREATE TABLE contacts (id integer);
GRANT ALL ON contacts TO postgres;
GRANT SELECT ON contacts TO app_reader;
REVOKE SELECT ON contacts FROM app_reader;
CREATE FUNCTION one() RETURNS integer LANGUAGE sql AS 'SELECT 1';
GRANT EXECUTE ON FUNCTION one() TO PUBLIC;

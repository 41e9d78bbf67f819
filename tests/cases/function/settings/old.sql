CREATE FUNCTION one() RETURNS integer LANGUAGE sql SET application_name = 'x' SET work_mem = '8MB' AS 'SELECT 1';

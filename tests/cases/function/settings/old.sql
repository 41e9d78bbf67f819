CREATE FUNCTION one() RETURNS integer LANGUAGE sql SET work_mem = '8MB' SET application_name = 'x' AS 'SELECT 1';

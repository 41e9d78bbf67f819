CREATE FUNCTION one() RETURNS integer LANGUAGE sql SET search_path = 'public' SET work_mem = '8MB' AS 'SELECT 1';

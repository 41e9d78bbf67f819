CREATE FUNCTION one() RETURNS integer LANGUAGE sql SET work_mem = '16MB' SET search_path = '' SET my.setting = 'it''s' AS 'SELECT 1';

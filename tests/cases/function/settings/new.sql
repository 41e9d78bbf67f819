CREATE FUNCTION one() RETURNS integer LANGUAGE sql SET my.setting = 'it''s' SET search_path = '' SET work_mem = '16MB' AS 'SELECT 1';

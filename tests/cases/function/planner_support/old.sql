CREATE FUNCTION numbers(integer, integer) RETURNS SETOF integer LANGUAGE sql AS 'SELECT 1';

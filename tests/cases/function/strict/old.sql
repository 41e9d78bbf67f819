CREATE FUNCTION same(n integer) RETURNS integer LANGUAGE sql AS 'SELECT n';

CREATE FUNCTION numbers(integer, integer) RETURNS SETOF integer LANGUAGE sql SUPPORT pg_catalog.generate_series_int4_support AS 'SELECT 1';

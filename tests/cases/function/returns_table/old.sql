CREATE FUNCTION people() RETURNS TABLE (id integer, name text) LANGUAGE sql AS $$ SELECT 1, 'Ann' $$;

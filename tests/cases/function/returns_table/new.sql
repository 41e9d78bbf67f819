CREATE FUNCTION people() RETURNS TABLE (id integer, name text, age integer) LANGUAGE sql AS $$ SELECT 1, 'Ann', 30 $$;

CREATE FUNCTION "do ""it"""("a b" integer) RETURNS integer LANGUAGE sql AS 'SELECT "a b"';

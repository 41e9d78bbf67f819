CREATE TYPE letters AS RANGE (subtype = text);
CREATE FUNCTION first(letters) RETURNS text LANGUAGE sql IMMUTABLE RETURN lower($1);

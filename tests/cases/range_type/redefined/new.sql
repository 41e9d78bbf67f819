CREATE TYPE letters AS RANGE (subtype = text, collation = "C");
CREATE FUNCTION first(letters) RETURNS text LANGUAGE sql IMMUTABLE RETURN lower($1);

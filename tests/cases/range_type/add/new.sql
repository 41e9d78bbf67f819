CREATE FUNCTION apart(a text, b text) RETURNS double precision LANGUAGE sql IMMUTABLE RETURN 1.0;
CREATE TYPE letters AS RANGE (subtype = text, collation = "C", subtype_opclass = text_pattern_ops, subtype_diff = apart, multirange_type_name = letter_sets);
CREATE TABLE shelves (books letters, all_books letter_sets);
COMMENT ON TYPE letters IS 'From a to z';
ALTER TYPE letters OWNER TO app_owner;
REVOKE USAGE ON TYPE letters FROM PUBLIC;

CREATE FUNCTION "do ""it"""("a b" integer, "select" text DEFAULT ''';--') RETURNS TABLE ("from" integer) LANGUAGE sql
    SET "app.tenant" = '''; DROP TABLE users; --' AS 'SELECT "a b"';
CREATE FUNCTION "Do ""It"""() RETURNS text LANGUAGE sql AS $function$ SELECT '$$ $body$ '';' $function$;
CREATE PROCEDURE "select"() LANGUAGE sql AS '';
COMMENT ON FUNCTION "do ""it"""(integer, text) IS '''; --';
GRANT EXECUTE ON FUNCTION "do ""it"""(integer, text) TO "Odd Role";

CREATE SCHEMA "select";
CREATE SCHEMA "Odd ""quoted"" namespace; DROP TABLE users; --";
CREATE TABLE "Odd ""quoted"" namespace; DROP TABLE users; --"."a.b" (id integer);
COMMENT ON SCHEMA "select" IS '''; DROP SCHEMA public; --';
GRANT USAGE ON SCHEMA "Odd ""quoted"" namespace; DROP TABLE users; --" TO "Odd Role";

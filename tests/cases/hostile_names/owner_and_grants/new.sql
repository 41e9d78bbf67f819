CREATE TABLE "T" ("a b" integer);
ALTER TABLE "T" OWNER TO "Odd Role";
GRANT UPDATE ("a b") ON "T" TO app_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE "Odd Role" IN SCHEMA public GRANT SELECT ON TABLES TO "Odd Role", app_reader;

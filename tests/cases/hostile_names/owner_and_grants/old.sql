CREATE TABLE "T" ("a b" integer);
GRANT SELECT ("a b") ON "T" TO "Odd Role";

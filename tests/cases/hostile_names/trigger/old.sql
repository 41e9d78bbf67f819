CREATE TABLE "T" ("a b" integer);

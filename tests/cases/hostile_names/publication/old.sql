CREATE TABLE "T" ("a b" integer PRIMARY KEY, "c" text);
CREATE SCHEMA "S;";

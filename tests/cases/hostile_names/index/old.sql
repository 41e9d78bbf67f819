CREATE TABLE "T" ("a b" text);

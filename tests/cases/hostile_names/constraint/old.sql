CREATE TABLE "T" ("c" integer, CONSTRAINT "it's" CHECK ("c" > 0));

CREATE TABLE "Odd ""table" ("a;b" integer, "select" integer);

CREATE TABLE "Robert'); DROP TABLE students; --" ("a""b" integer, "c
d" text);

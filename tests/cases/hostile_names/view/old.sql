CREATE TABLE "T" ("a b" varchar(5), "A B" text);
CREATE VIEW "V ""1""" AS SELECT "a b", "A B" AS "select" FROM "T" WHERE "a b" <> '''; --';
GRANT SELECT ("select") ON "V ""1""" TO "Odd Role";
COMMENT ON COLUMN "V ""1"""."select" IS 'it''s';

CREATE TABLE "T" ("a b" text);
CREATE MATERIALIZED VIEW "M; --" AS SELECT "a b" AS "Group" FROM "T";
CREATE INDEX "M's index" ON "M; --" ("Group");

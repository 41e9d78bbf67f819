CREATE SCHEMA "all";
CREATE TABLE "all"."table" ("column" integer PRIMARY KEY, "check" text UNIQUE, "default" text DEFAULT 'default', "user" text);
CREATE INDEX "where" ON "all"."table" ("user") WHERE "check" <> 'where';
CREATE VIEW "all"."view" AS SELECT "column" AS "select", "user" AS "from" FROM "all"."table" AS "where";
CREATE FUNCTION "all"."function"("in" integer, "out" integer DEFAULT 1) RETURNS integer LANGUAGE sql RETURN "in" + "out";
CREATE POLICY "using" ON "all"."table" USING ("user" = 'current_user');
CREATE SEQUENCE "all"."sequence";

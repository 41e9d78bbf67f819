CREATE TABLE "T" ("a b" text);
CREATE INDEX "i""; DROP TABLE users; --" ON "T" ("a b") WHERE "a b" <> ''';--';
CREATE INDEX "it's" ON "T" (("a b" || '"'));
COMMENT ON INDEX "it's" IS 'it''s';

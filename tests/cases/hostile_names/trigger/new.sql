CREATE TABLE "T" ("a b" integer);
CREATE FUNCTION "f;"() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER "t""; --" BEFORE UPDATE OF "a b" ON "T" FOR EACH ROW WHEN (NEW."a b" > 0)
    EXECUTE FUNCTION "f;"('it''s', '\', '"', 'two
lines', '; DROP TABLE users; --');
CREATE TRIGGER "T""; --" AFTER UPDATE ON "T" REFERENCING OLD TABLE AS "Old ""rows""" EXECUTE FUNCTION "f;"();
COMMENT ON TRIGGER "t""; --" ON "T" IS 'it''s';
ALTER TABLE "T" DISABLE TRIGGER "t""; --";

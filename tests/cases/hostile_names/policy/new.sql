CREATE TABLE "T" ("user" text);
CREATE POLICY "p; DROP TABLE users; --" ON "T" TO "Odd Role", anon USING ("user" = ''';--') WITH CHECK ("user" <> '\');
CREATE POLICY "P; DROP TABLE users; --" ON "T" TO "Odd Role" USING (true);
COMMENT ON POLICY "P; DROP TABLE users; --" ON "T" IS 'it''s';

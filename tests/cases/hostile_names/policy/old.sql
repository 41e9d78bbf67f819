CREATE TABLE "T" ("user" text);
CREATE POLICY "p; DROP TABLE users; --" ON "T" TO "Odd Role" USING ("user" = 'it''s');

CREATE TABLE "T" ("Col'1" text, b integer);
CREATE INDEX "a_name_that_has_all_of_the_sixty_three_bytes_of_which_é_is_two" ON "T" ("Col'1", b);
CREATE INDEX "in""dex" ON "T" ((b + 1), lower("Col'1" COLLATE "C")) WHERE "Col'1" <> 'it''s';

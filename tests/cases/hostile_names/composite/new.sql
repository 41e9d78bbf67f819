CREATE TYPE "Addr ""ess" AS ("select" text, "a b" integer, "Select" text COLLATE "C", "per%cent" "char");
COMMENT ON COLUMN "Addr ""ess"."a b" IS 'it''s
two lines';

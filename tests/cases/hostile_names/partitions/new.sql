CREATE TABLE "P" ("k" text) PARTITION BY LIST ("k");
CREATE TABLE "P's; --" PARTITION OF "P" FOR VALUES IN ('it''s', '"', '\', '''; --');
CREATE TABLE "P default" PARTITION OF "P" DEFAULT;

CREATE TABLE "Ta""ble's $$ \n;--" (
    "id $$" integer,
    "when'" timestamptz NOT NULL,
    "select" text DEFAULT 'it''s' CHECK ("select" <> '$$'),
    CONSTRAINT "key ""'$$" PRIMARY KEY ("id $$", "when'")
) PARTITION BY RANGE ("when'");
CREATE TABLE "Ta""ble's $$ \n;-- first" PARTITION OF "Ta""ble's $$ \n;--" FOR VALUES FROM (MINVALUE) TO ('2030-01-01');
CREATE TABLE "Ta""ble's $$ \n;-- rest" PARTITION OF "Ta""ble's $$ \n;--" DEFAULT;
CREATE INDEX "in""dex" ON "Ta""ble's $$ \n;--" ("select");

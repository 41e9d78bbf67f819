CREATE TABLE "Ta""ble's $$ \n;--" (
    "id $$" integer,
    "when'" timestamptz NOT NULL,
    "select" text DEFAULT 'it''s' CHECK ("select" <> '$$'),
    CONSTRAINT "key ""'$$" PRIMARY KEY ("id $$", "when'")
);
CREATE INDEX "in""dex" ON "Ta""ble's $$ \n;--" ("select");

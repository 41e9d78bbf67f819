CREATE TABLE "T" (
    "c" integer NOT NULL,
    CONSTRAINT "it's" CHECK ("c" > 1),
    CONSTRAINT "key""; DROP TABLE users; --" PRIMARY KEY ("c"),
    CONSTRAINT "Select" UNIQUE ("c"),
    CONSTRAINT "two
lines" FOREIGN KEY ("c") REFERENCES "T" ("c"),
    CONSTRAINT "quote" CHECK ("c"::text <> ''';--')
);
COMMENT ON CONSTRAINT "it's" ON "T" IS '''';

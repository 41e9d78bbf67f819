CREATE TABLE "Robert'); DROP TABLE students; --" (
    "a""b" bigint NOT NULL,
    "c
d" text DEFAULT 'x'';
y',
    "order" integer,
    "Order" integer,
    "1st" integer,
    " " integer,
    "$1" integer,
    "a.b" integer,
    "tab	" integer,
    "\" integer,
    "%s" integer,
    "ctid_" integer
);
CREATE TABLE "/* */" ();
CREATE TABLE "--" ("--" integer);
COMMENT ON COLUMN "--"."--" IS '-- tenantry: was nothing';

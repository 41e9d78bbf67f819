CREATE TABLE "Orders" ("Number" bigint);
CREATE SEQUENCE "order's ""numbers""" OWNED BY "Orders"."Number";
ALTER TABLE "Orders" ALTER COLUMN "Number" SET DEFAULT nextval('"order''s ""numbers"""');
CREATE TABLE "sélect" ("ïd" serial, "from" integer GENERATED ALWAYS AS IDENTITY);

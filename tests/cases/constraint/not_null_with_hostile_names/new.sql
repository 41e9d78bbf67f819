CREATE TABLE "Odd ""table" ("a;b" integer CONSTRAINT "it's ""there""" NOT NULL, "select" integer NOT NULL);

CREATE SCHEMA "a""b";
CREATE TABLE "a""b"."T'able" ("Select" integer, "c\" text,
    CONSTRAINT "k""ey" PRIMARY KEY ("Select", "c\"),
    CONSTRAINT "ch'eck" CHECK ("c\" <> 'it''s \'),
    CONSTRAINT "fk; DROP" FOREIGN KEY ("Select", "c\") REFERENCES "a""b"."T'able");

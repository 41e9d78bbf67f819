CREATE SCHEMA "a""b";
CREATE TABLE "a""b"."T'able" ("Select" integer, "c\" text);

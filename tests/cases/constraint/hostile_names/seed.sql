INSERT INTO "a""b"."T'able" VALUES (1, 'x');

INSERT INTO "Odd ""table" VALUES (1, 2);

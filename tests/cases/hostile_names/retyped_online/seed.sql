INSERT INTO "Ta""ble's $$ \n;--" ("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx1", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx2") VALUES (1, 2), (3, 4);
INSERT INTO "re\fers" VALUES (1), (2);

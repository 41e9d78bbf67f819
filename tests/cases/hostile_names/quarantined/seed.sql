INSERT INTO "Ta""ble's $$ \n;--" DEFAULT VALUES;
INSERT INTO "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx1" VALUES (1);
INSERT INTO "T" VALUES (1);
INSERT INTO t VALUES (2);

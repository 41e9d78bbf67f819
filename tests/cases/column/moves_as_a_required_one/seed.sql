INSERT INTO "Users" VALUES (1, 7, 'a'), (1, 8, 'b');
INSERT INTO "Profiles" VALUES (7, 1), (8, 1);

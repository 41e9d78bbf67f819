INSERT INTO contacts VALUES (1, 'a');
INSERT INTO "Contacts" VALUES (1, 'A');

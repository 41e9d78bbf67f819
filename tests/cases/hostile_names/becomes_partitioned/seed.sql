INSERT INTO "Ta""ble's $$ \n;--" VALUES (1, '2024-01-01', 'a'), (2, '2024-01-01', '\');

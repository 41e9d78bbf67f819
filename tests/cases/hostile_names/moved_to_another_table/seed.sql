INSERT INTO "Ta""ble's $$ \n;--" VALUES (1, 'a''$$'), (2, '\');
INSERT INTO "pro\files'" VALUES (1), (2);

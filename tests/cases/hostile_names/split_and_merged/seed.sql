INSERT INTO "Ta""ble's $$ \n;--" VALUES (1, 'Ada $$ Lovelace'), (2, 'Plato');

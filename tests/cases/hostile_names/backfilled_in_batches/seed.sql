INSERT INTO "Ta""ble's $$ \n;--" SELECT E'it''s "$$" \\ \n ' || n % 3, n FROM generate_series(1, 9) n;

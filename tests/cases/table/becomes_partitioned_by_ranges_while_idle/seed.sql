INSERT INTO "Log" SELECT n, date '2025-06-01' + n FROM generate_series(1, 400) n;

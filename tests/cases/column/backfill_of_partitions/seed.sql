INSERT INTO logs SELECT '2024-01-25'::date + n, CASE WHEN n % 3 = 0 THEN 'x' END FROM generate_series(0, 12) n;

INSERT INTO readings SELECT '2024-06-01'::date + 30 * n, n FROM generate_series(1, 12) n;

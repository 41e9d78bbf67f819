INSERT INTO app.orders
    SELECT n, n % 7, '2026-01-01'::timestamptz + n * interval '1 day', CASE WHEN n % 2 = 0 THEN 'paid' END
      FROM generate_series(1, 100) AS n;

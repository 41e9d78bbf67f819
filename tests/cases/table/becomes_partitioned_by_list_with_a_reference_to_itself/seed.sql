INSERT INTO orders SELECT i, CASE i % 2 WHEN 0 THEN 'east' ELSE 'west' END, NULL FROM generate_series(1, 50) i;
UPDATE orders SET parent = id - 2 WHERE id > 10;

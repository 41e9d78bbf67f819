INSERT INTO orders SELECT n, CASE n % 3 WHEN 0 THEN 'e' WHEN 1 THEN 'w' ELSE 'x' END, 'n' FROM generate_series(1, 50) n;
INSERT INTO items SELECT id, id, region FROM orders;

INSERT INTO orders SELECT 'r' || n % 2 || '''', n, n FROM generate_series(1, 7) n;

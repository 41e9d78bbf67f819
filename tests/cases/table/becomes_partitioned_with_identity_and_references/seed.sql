INSERT INTO events (code, at) SELECT 'e' || n, date '2024-01-01' + n FROM generate_series(1, 30) n;
INSERT INTO notes SELECT n, n, date '2024-01-01' + n FROM generate_series(1, 10) n;

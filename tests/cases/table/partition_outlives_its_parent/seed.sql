INSERT INTO events SELECT n, '2024-02-01' FROM generate_series(1, 10) n;

INSERT INTO people SELECT n, 'Ada', 'L' || n FROM generate_series(1, 5) n;

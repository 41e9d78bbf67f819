INSERT INTO messages SELECT n, '2024-06-01', n FROM generate_series(1, 40) n;

INSERT INTO people SELECT n, 'Ada', 'L' || n FROM generate_series(1, 5) n;
INSERT INTO members SELECT n, 'Bea', 'M' || n, '2024-01-01' FROM generate_series(6, 9) n;
INSERT INTO patrons SELECT n, 'Cy', 'N' || n, '2024-02-01', 5 FROM generate_series(10, 12) n;

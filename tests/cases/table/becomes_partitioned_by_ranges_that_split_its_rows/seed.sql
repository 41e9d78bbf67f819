INSERT INTO people VALUES (1), (2);
INSERT INTO messages (person, at, text) SELECT n % 2 + 1, date '2025-06-01' + n, 't' || n FROM generate_series(1, 400) n;
INSERT INTO receipts SELECT n, n FROM generate_series(1, 20) n;

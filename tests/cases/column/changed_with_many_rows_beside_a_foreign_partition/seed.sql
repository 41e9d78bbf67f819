INSERT INTO events VALUES (1, '2026-02-02', 4, 'a'), (2, '2026-02-03', 5, NULL);

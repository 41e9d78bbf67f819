INSERT INTO people VALUES (1), (2);
INSERT INTO events VALUES (1, '2024-02-02', 1), (2, '2025-02-02', 2), (3, '2026-02-02', 1);

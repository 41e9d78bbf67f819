INSERT INTO events VALUES ('a', '2026-01-01', 'x'), ('b', '2026-01-01', 'y');

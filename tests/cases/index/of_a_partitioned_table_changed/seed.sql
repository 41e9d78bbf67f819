INSERT INTO events VALUES ('a', '2026-01-01'), ('b', '2026-01-01');

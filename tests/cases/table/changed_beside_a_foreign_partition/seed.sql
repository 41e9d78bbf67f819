INSERT INTO events VALUES ('a', '2026-02-02', 'x', 1, 'a');

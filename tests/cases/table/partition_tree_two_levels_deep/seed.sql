INSERT INTO messages VALUES (1, '2026-05-05', 'hello');

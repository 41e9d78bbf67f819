INSERT INTO messages VALUES (1, '2025-05-05', 'x');

INSERT INTO messages VALUES (1, 'a', 'b'), (2, 'a', 'b'), (200, 'a', 'b');

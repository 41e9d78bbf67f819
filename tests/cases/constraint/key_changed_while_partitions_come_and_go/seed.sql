INSERT INTO messages VALUES (1, 'a', 'b'), (101, 'a', 'b');

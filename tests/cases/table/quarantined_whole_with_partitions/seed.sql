INSERT INTO messages VALUES (1, '2023-05-05', 'a'), (2, '2024-05-05', 'b');

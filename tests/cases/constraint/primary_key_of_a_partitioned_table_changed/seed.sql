INSERT INTO messages VALUES (1, 1), (2, 1);

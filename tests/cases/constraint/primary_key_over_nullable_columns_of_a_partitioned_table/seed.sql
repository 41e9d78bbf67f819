INSERT INTO messages VALUES (1, 1);

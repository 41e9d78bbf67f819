INSERT INTO contacts VALUES (1, 1), (2, 2);
INSERT INTO messages VALUES (1, 1, 1), (2, 2, 2);

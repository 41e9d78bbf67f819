INSERT INTO users VALUES (1), (2);
INSERT INTO messages VALUES (1, 1), (2, 1);

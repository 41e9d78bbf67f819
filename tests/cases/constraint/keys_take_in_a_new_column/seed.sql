INSERT INTO contacts VALUES (1, '+43');
INSERT INTO messages VALUES (1);

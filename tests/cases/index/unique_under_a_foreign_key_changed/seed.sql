INSERT INTO contacts VALUES ('+43');
INSERT INTO messages VALUES ('+43');

INSERT INTO contacts VALUES (1, 'a');
INSERT INTO messages VALUES (1);

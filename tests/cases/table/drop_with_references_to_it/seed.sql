INSERT INTO contacts VALUES (1);
INSERT INTO messages VALUES (1, NULL, 'hello');

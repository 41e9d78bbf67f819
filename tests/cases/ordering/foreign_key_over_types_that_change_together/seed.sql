INSERT INTO contacts VALUES (1, NULL), (2, 1);
INSERT INTO messages VALUES (1, 1);
INSERT INTO replies VALUES (1, 1);

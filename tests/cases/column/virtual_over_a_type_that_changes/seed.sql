INSERT INTO contacts (id, size) VALUES (1, 5);

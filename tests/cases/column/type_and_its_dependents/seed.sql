INSERT INTO contacts (id, age) VALUES (1, 20);

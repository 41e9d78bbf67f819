INSERT INTO contacts (id) VALUES (1);

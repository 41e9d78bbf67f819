INSERT INTO contacts (name) VALUES ('Ada'), ('Bo'); INSERT INTO calls VALUES (1);

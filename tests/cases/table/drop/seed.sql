INSERT INTO contacts (name) VALUES ('Ann');

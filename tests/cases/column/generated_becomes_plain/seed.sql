INSERT INTO contacts (first) VALUES ('Ann');

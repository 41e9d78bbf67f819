INSERT INTO contacts (name) VALUES ('Ann');
INSERT INTO numbers (name) VALUES ('Ann');

INSERT INTO contacts VALUES ('Ann');

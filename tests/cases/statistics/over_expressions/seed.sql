INSERT INTO contacts VALUES ('Bern', '3000');

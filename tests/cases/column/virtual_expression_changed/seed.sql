INSERT INTO contacts VALUES ('ada');

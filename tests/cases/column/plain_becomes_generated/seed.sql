INSERT INTO contacts VALUES ('Ann', 'A');

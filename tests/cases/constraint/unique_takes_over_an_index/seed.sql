INSERT INTO contacts VALUES ('+43');

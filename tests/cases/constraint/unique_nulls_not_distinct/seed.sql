INSERT INTO contacts VALUES ('+43'), (NULL);

INSERT INTO contacts VALUES (1, 'Graz'), (2, NULL);

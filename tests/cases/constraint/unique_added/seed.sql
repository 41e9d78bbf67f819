INSERT INTO contacts VALUES (1, '+43'), (2, NULL), (3, NULL);

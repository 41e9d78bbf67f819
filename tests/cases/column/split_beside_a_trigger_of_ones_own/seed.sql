INSERT INTO contacts VALUES (1, 'Ada Lovelace'), (2, NULL);

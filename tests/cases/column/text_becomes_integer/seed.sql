INSERT INTO contacts VALUES ('42'), (NULL);

INSERT INTO boxes VALUES (1, 5, '{2,3}', '{4}'), (2, NULL, NULL, NULL);

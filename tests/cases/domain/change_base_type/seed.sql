INSERT INTO prices VALUES (1, 5), (2, 500);

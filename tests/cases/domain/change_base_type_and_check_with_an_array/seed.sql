INSERT INTO prices VALUES (1, 5, '{1,2}'), (2, 500, NULL);

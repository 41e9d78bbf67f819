INSERT INTO base VALUES (1, 'a', 5), (2, 'b', 6);

INSERT INTO events VALUES (1, 1), (2, 2);

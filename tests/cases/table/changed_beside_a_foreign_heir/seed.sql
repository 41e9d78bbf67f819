INSERT INTO events VALUES (1, 1, 'a', 'b'), (2, 2, 'c', NULL);
INSERT INTO logs VALUES (1, 'x');

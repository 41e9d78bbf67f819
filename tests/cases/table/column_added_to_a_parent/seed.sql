INSERT INTO tools VALUES (1, 'x', 5);

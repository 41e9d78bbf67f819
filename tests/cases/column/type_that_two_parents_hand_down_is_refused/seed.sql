INSERT INTO c VALUES (1, 'x', 'y', 1); INSERT INTO d VALUES (1, 'x', 'y', 1);

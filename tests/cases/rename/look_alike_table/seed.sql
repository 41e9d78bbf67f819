INSERT INTO people VALUES (1, 'Ann', '2000-01-01');

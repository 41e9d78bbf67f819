INSERT INTO customers VALUES (1, 'a'), (2, 'b'), (3, 'c');
INSERT INTO orders VALUES (10, 1, '+1'), (11, 1, '+2'), (20, 2, ''), (21, NULL, '');

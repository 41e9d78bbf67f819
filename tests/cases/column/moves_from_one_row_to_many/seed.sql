INSERT INTO customers VALUES (1, 'EUR', 'DE'), (2, 'USD', NULL);
INSERT INTO orders VALUES (10, 1), (11, 1), (20, 2), (21, NULL);

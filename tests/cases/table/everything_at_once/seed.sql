INSERT INTO contacts VALUES (1, 'Ann', 'ann@example.com', 5, '1234'), (2, 'Bob', NULL, NULL, NULL);

INSERT INTO m (id, at) VALUES (1, '2024-01-05'), (2, '2024-03-05');

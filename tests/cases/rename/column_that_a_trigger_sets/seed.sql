INSERT INTO contacts VALUES (1, '+43', '2024-01-01');

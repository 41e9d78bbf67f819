INSERT INTO near VALUES (1, 'a', 1);
INSERT INTO parting VALUES (1, 'a', 1);

INSERT INTO base VALUES (1, 'one');
INSERT INTO heir VALUES (2, 'two', 2);
INSERT INTO heir_of_the_heir VALUES (3, 'three', 3);

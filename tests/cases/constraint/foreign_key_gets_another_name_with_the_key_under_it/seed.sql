INSERT INTO accounts VALUES (1, 1), (2, 2);
INSERT INTO invoices VALUES (1, 1), (2, 2);
INSERT INTO nodes VALUES (1, NULL), (2, 1);
INSERT INTO leaves VALUES (1), (2);
INSERT INTO words VALUES ('a', 1), ('b', 2);
INSERT INTO uses VALUES ('a', 'b'), (NULL, 'a');

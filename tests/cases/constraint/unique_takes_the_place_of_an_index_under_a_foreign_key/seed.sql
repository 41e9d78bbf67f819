INSERT INTO contacts VALUES ('+43'), ('+44');
INSERT INTO calls VALUES ('+43'), ('+44');
INSERT INTO words VALUES ('a', 1), ('b', 2);
INSERT INTO uses VALUES ('a'), ('b');
INSERT INTO marks VALUES (1, 1), (2, 2);
INSERT INTO meant VALUES (1), (2);

INSERT INTO accounts VALUES (1, 1, 'a'), (2, 1, 'b');
INSERT INTO notes VALUES (1, 'x');
INSERT INTO marks VALUES (1, 2), (2, 2);

INSERT INTO contacts VALUES (1, '+43'), (2, '');
INSERT INTO calls VALUES ('+43');

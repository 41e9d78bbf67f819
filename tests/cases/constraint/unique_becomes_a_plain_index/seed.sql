INSERT INTO contacts VALUES ('+43');
INSERT INTO words VALUES ('a');

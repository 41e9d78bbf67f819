INSERT INTO contacts (id, phone) VALUES (1, '+43');
INSERT INTO calls VALUES ('+43');

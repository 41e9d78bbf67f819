INSERT INTO users VALUES (1, 'a', '+1'), (2, 'b', NULL), (3, 'c', '+3');
INSERT INTO profiles VALUES (10, 1), (20, 2), (30, 3);

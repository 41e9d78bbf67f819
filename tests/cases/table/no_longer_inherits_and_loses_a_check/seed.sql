INSERT INTO things (id, x) VALUES (1, 3);
INSERT INTO tools (id, x, w) VALUES (2, 4, 5);

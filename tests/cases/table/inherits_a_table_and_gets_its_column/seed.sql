INSERT INTO things (id, x) VALUES (1, 3);
INSERT INTO tools (id, w) VALUES (2,5);

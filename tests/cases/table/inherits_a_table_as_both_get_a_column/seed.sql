INSERT INTO things (id) VALUES (1);
INSERT INTO tools (id, w) VALUES (2, 5);

INSERT INTO app.node VALUES (1, NULL), (2, 1);
INSERT INTO app.leaf VALUES (2);

INSERT INTO app.node VALUES (1, NULL), (2, 1), (101, 2), (301, 2);
INSERT INTO app.leaf VALUES (301);

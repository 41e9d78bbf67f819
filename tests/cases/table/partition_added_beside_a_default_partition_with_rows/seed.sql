INSERT INTO app.node VALUES (1, NULL), (2, 1), (301, 2), (302, 301);

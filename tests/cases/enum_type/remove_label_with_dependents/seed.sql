INSERT INTO people VALUES (1, 'sad', '{happy,sad}'), (2, 'happy', NULL);

INSERT INTO app.event VALUES (1, 'a', 'b');

INSERT INTO app.event VALUES (1, 2, 'b');

INSERT INTO tags VALUES (3, 'new');

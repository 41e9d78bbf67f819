INSERT INTO people VALUES (1, 'it''s'), (2, 'a"b');

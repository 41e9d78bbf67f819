INSERT INTO p VALUES (1, 'ok', '{ok}');

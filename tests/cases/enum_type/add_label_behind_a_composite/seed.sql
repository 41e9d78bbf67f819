INSERT INTO people VALUES (1, ROW('happy', 2), ARRAY[ROW('ok', 3)::pair, NULL], ROW(ROW('ok', 4)::pair, 'it''s, "so"')), (2, DEFAULT, NULL, NULL);
INSERT INTO events VALUES (1, ROW('ok', 1));

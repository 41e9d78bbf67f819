INSERT INTO a VALUES (1, 'one', 7); INSERT INTO b SELECT 1, a, ROW(a, 2)::pair, ARRAY[a, a] FROM a;

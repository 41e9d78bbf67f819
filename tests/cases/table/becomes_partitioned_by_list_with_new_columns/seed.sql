INSERT INTO accounts VALUES (1), (2);
INSERT INTO logs SELECT n, 1, 't' || n FROM generate_series(1, 20) n;

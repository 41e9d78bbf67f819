INSERT INTO notes SELECT g, 2000 + g FROM generate_series(1, 20000) g;
INSERT INTO readers VALUES (1, 1), (2, 2); INSERT INTO editors VALUES (1, 1), (2, 2);

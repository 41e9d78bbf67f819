INSERT INTO p (id, a) SELECT g, g FROM generate_series(0, 9) AS g;
INSERT INTO p2 (id, a) SELECT g, g FROM generate_series(10, 19) AS g;

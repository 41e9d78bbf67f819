INSERT INTO p SELECT g, g, 'x' FROM generate_series(0, 19) AS g;

INSERT INTO app.event SELECT n, 'name ' || n, 'c' || n FROM generate_series(1, 200) AS n;

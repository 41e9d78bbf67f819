INSERT INTO app.event SELECT generate_series(1, 99);
INSERT INTO app.heir SELECT generate_series(1, 99);

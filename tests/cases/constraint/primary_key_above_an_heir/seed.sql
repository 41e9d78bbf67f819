INSERT INTO app.used SELECT generate_series(1, 100);
INSERT INTO app.used_heir SELECT generate_series(101, 200);

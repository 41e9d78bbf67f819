INSERT INTO app.orders SELECT generate_series(1, 100);
INSERT INTO app.lines SELECT 'a note' FROM generate_series(1, 100);

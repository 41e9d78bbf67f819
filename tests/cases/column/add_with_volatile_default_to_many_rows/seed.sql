INSERT INTO contacts SELECT generate_series(1, 5);

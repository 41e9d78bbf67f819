INSERT INTO contacts SELECT g, 'contact ' || g FROM generate_series(1, 100) g;

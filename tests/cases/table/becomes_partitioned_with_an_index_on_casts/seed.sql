INSERT INTO contacts (name) SELECT 'c' || n FROM generate_series(1, 5) n;
INSERT INTO messages (contact_id, body) SELECT 1 + n % 5, 'm' || n FROM generate_series(1, 40) n;

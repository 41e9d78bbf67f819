INSERT INTO bookings VALUES (1, '[2024-01-01,2024-02-01)', 7, 'it''s'), (2, NULL, 8, '$$');

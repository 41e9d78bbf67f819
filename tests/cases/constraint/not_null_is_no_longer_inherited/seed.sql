INSERT INTO events VALUES (1, '2026-03-01'), (2, '2027-03-01'); INSERT INTO customer VALUES (2, 'a', 3);

INSERT INTO accounts VALUES (1, 1), (2, 2);
INSERT INTO invoices VALUES (1, 1, '2026-05-01'), (2, 2, '2027-05-01');
INSERT INTO bills VALUES (1, 1, '2026-05-01'), (2, 2, '2027-05-01');

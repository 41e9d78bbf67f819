INSERT INTO messages VALUES (1, '2026-01-01', 'a'), (2, '2027-01-01', 'b');
INSERT INTO parts VALUES (1, '2026-01-01');

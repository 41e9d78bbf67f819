INSERT INTO person VALUES (1, 'a', 'b'); INSERT INTO customer VALUES (2, 'c', 'd', 3);
INSERT INTO events VALUES (1, '2026-03-01', 'k');

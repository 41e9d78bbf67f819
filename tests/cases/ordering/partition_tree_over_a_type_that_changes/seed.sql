INSERT INTO events VALUES ('a', '2025-05-05', 1);

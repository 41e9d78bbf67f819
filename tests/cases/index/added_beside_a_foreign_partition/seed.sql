INSERT INTO events VALUES ('a', '2026-02-02'), ('a', '2027-02-02'), ('a', '2028-02-02');

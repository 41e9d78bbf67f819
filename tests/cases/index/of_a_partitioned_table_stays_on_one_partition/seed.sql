INSERT INTO events VALUES ('a', '2020-01-01'), ('b', '2020-01-01');

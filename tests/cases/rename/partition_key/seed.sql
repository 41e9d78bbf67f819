INSERT INTO events VALUES ('a', 5);

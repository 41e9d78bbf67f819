INSERT INTO events VALUES ('a', 1);

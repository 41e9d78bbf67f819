INSERT INTO users VALUES (1); INSERT INTO events VALUES ('a', 1), ('b', 1);

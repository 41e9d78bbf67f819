INSERT INTO events VALUES ('a', 5); INSERT INTO special VALUES ('b', 6, 'x');

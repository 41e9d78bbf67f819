INSERT INTO contacts VALUES ('a', 1), ('b', 2), ('c', 3);

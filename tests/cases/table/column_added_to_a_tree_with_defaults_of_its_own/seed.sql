INSERT INTO e VALUES ('a', 1, 2), ('a', 2, 3), ('a', 3, 4);

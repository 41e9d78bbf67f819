INSERT INTO t VALUES (1, 'a', 'a', 1, 1), (2, 'b', 'b', 2, 2), (3, NULL, 'c', NULL, -1);

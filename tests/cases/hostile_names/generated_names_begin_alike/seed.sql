INSERT INTO t VALUES (1, 'a''b', 'x'), (2, 'A', 'y');
INSERT INTO renamed VALUES (1, 'a', 'b');

INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 5) i;
INSERT INTO faxes VALUES (1, 2);

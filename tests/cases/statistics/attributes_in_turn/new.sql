-- Each is what the next one was: an attribute comes, becomes another and goes.
CREATE TABLE t (a integer, b integer, c integer);
CREATE STATISTICS s1 (ndistinct) ON a, b FROM t;
CREATE STATISTICS s2 (dependencies, mcv) ON a, b FROM t;
CREATE STATISTICS s3 ON a, b, c FROM t;
CREATE STATISTICS s4 ON a, (b + 1) FROM t;
CREATE STATISTICS s5 ON a, (b + 2) FROM t;
CREATE STATISTICS s6 ON a, b FROM t;
ALTER STATISTICS s6 SET STATISTICS 5;
CREATE STATISTICS s7 ON a, b FROM t;
ALTER STATISTICS s7 SET STATISTICS 6;
CREATE STATISTICS s8 ON a, b FROM t;

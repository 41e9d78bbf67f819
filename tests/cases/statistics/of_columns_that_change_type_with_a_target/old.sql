CREATE TABLE t (a integer, b integer, c text);
CREATE STATISTICS s1 (ndistinct, dependencies) ON a, b FROM t;
CREATE STATISTICS s2 ON (a + b), c FROM t;
COMMENT ON STATISTICS s1 IS 'one';
ALTER STATISTICS s2 SET STATISTICS 300;

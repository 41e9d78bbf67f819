CREATE TABLE employees (id integer, boss integer);
CREATE RECURSIVE VIEW chain (id, depth) AS
    SELECT id, 0 FROM employees WHERE boss IS NULL
    UNION ALL
    SELECT e.id, c.depth + 1 FROM employees e JOIN chain c ON c.id = e.boss;

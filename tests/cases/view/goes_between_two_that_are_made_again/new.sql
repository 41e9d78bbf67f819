CREATE TABLE orders (id integer, amount integer, note text);
CREATE VIEW amounts AS SELECT id, note, amount FROM orders;
CREATE MATERIALIZED VIEW counted AS SELECT amount, count(*) AS orders FROM amounts GROUP BY amount;
CREATE INDEX ON counted (amount);

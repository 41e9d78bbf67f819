CREATE TABLE orders (id integer, amount integer, note text);
CREATE VIEW amounts AS SELECT id, amount, note FROM orders;
CREATE VIEW large AS SELECT id, amount FROM amounts WHERE amount > 100;
INSERT INTO orders VALUES (1, 5, 'a'), (2, 500, 'b');

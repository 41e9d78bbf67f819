CREATE TABLE orders (id integer, amount integer, note text);
CREATE VIEW amounts AS SELECT id, note, amount FROM orders;

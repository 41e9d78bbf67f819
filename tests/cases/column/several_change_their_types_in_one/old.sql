CREATE TABLE orders (
    id integer PRIMARY KEY,
    amount integer NOT NULL DEFAULT 0,
    day date,
    weight integer CHECK (weight > 0),
    note text
);
CREATE INDEX heavy ON orders (weight) WHERE weight > 10;
CREATE VIEW amounts AS SELECT id, amount FROM orders;
INSERT INTO orders VALUES (1, 5, '2026-01-01', 2, 'a'), (2, 7, NULL, 20, 'b');

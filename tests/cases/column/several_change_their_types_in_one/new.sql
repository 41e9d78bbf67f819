CREATE TABLE orders (
    id bigint PRIMARY KEY,
    amount numeric NOT NULL DEFAULT 0,
    day timestamp,
    weight bigint CHECK (weight > 0),
    note text
);
CREATE INDEX heavy ON orders (weight) WHERE weight > 10;
CREATE VIEW amounts AS SELECT id, amount FROM orders;

CREATE TABLE orders (id integer, number bigint);
CREATE SEQUENCE order_numbers OWNED BY orders.number;
ALTER TABLE orders ALTER COLUMN number SET DEFAULT nextval('order_numbers');

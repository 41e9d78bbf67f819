CREATE TABLE orders (id integer, number bigint);
CREATE SEQUENCE order_numbers OWNED BY orders.id;

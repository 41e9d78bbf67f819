CREATE TABLE orders (id integer);
CREATE SEQUENCE order_numbers OWNED BY orders.id;

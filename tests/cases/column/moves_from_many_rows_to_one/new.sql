CREATE TABLE customers (id bigint PRIMARY KEY, name text, phone text);
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint REFERENCES customers);

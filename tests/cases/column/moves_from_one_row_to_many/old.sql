CREATE TABLE customers (id bigint PRIMARY KEY, currency text NOT NULL, country text);
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint REFERENCES customers);

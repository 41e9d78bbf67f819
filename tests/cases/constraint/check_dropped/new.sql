CREATE TABLE orders (amount integer);

CREATE TABLE orders (amount integer CHECK (amount > 0));

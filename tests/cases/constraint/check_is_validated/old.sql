CREATE TABLE orders (amount integer);
ALTER TABLE orders ADD CONSTRAINT positive CHECK (amount > 0) NOT VALID;

CREATE TABLE orders (amount integer CONSTRAINT positive CHECK (amount > 0) NOT ENFORCED);

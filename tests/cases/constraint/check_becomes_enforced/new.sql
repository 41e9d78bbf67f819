CREATE TABLE orders (amount integer CONSTRAINT positive CHECK (amount > 0));

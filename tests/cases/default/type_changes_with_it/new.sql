CREATE TABLE orders (paid numeric(10, 2) NOT NULL DEFAULT 1.5);

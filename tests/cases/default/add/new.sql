CREATE TABLE orders (status text DEFAULT 'pending');

CREATE TABLE orders (status text DEFAULT 'new');

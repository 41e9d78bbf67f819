CREATE TABLE orders (status text DEFAULT '');

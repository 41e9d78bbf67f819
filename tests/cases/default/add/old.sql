CREATE TABLE orders (status text);

CREATE TABLE orders (name text);

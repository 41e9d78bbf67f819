CREATE TABLE orders (paid boolean DEFAULT false);

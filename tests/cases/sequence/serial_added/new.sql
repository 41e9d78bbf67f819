CREATE TABLE orders (name text, id serial);

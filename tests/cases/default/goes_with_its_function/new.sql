CREATE TABLE orders (id integer, number text);

CREATE TABLE orders (id integer, status text NOT NULL DEFAULT 'pending');

CREATE TABLE orders (id integer NOT NULL, state text);
CREATE UNIQUE INDEX orders_id ON orders (id);
ALTER TABLE orders REPLICA IDENTITY USING INDEX orders_id;
CREATE PUBLICATION feed FOR TABLE orders;

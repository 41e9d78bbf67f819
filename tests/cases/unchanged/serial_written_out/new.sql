CREATE SEQUENCE orders_id_seq AS integer;
CREATE TABLE orders (id integer NOT NULL DEFAULT nextval('orders_id_seq') PRIMARY KEY);
ALTER SEQUENCE orders_id_seq OWNED BY orders.id;

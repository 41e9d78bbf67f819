CREATE TABLE orders (note text, number serial);
ALTER TABLE orders OWNER TO app_owner;

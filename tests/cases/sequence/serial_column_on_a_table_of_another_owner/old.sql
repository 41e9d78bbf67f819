CREATE TABLE orders (note text);
ALTER TABLE orders OWNER TO app_owner;
